"use strict";
// Filter, sort and pages for unlinked work. Without it the page shows the first roots of each team instead.
(() => {
  const island = document.getElementById("unlinked-data");
  if (!island) return;
  const PAGE = 50;
  const [ID, TITLE, URL_, KIND, STATUS, AGE] = [0, 1, 2, 3, 4, 5];
  const { teams, roots, items } = JSON.parse(island.textContent);
  const $ = (id) => document.getElementById(id);
  const explorer = $("explorer");
  const words = $("words");
  const team = $("team");
  const more = $("more");
  const body = explorer.querySelector("tbody");
  const heads = [...explorer.querySelectorAll("th[data-sort]")];
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const number = new Intl.NumberFormat("en");
  const count = (n, one) => `${number.format(n)} ${one}${n === 1 ? "" : "s"}`;
  const trees = roots.map(([at, of, size, guesses]) => ({ at, team: of, size, guesses, item: items[at] }));
  const keys = {
    title: (t) => t.item[TITLE] || t.item[ID],
    team: (t) => teams[t.team],
    status: (t) => t.item[STATUS],
    items: (t) => t.size,
    age: (t) => t.item[AGE],
  };
  let texts = null; // lower-cased, made when somebody first types
  let sorting = { by: "items", down: true };
  let chosen = trees;
  let shown = 0;
  let waiting = 0;

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children); // text stays text, whatever stands in it
    return element;
  }

  function ticket(item) {
    const title = make("bdi", {}, item[TITLE] || item[ID]);
    return item[URL_] ? make("a", { href: item[URL_], rel: "noopener noreferrer" }, title) : title;
  }

  function named(item) {
    return [ticket(item), make("small", {}, make("span", { class: "id" }, item[ID]), ` · ${item[KIND]}`)];
  }

  function below(tree, button, row) {
    const list = make("ul", {});
    const cell = make("td", { role: "cell", colspan: "5" }, list);
    const inner = make("tr", { role: "row", class: "below", id: `below-${tree.at}` }, cell);
    let at = tree.at + 1;
    const end = tree.at + tree.size;
    const fill = () => {
      const stop = Math.min(at + PAGE * 4, end);
      const first = list.childElementCount;
      for (; at < stop; at += 1) {
        const status = make("small", {}, items[at][STATUS]);
        list.append(make("li", {}, ticket(items[at]), " ", make("span", { class: "id" }, items[at][ID]), " ", status));
      }
      next.hidden = at >= end;
      next.textContent = `Show more of the ${count(end - at, "item")} left`;
      if (first) list.children[first].querySelector("a")?.focus();
    };
    const next = make("button", { type: "button", class: "more" });
    next.addEventListener("click", fill);
    cell.append(next);
    fill();
    row.after(inner);
    button.setAttribute("aria-controls", inner.id);
  }

  function draw(tree) {
    const size = make("td", { role: "cell", "data-label": "Items", class: "right" });
    const row = make(
      "tr",
      { role: "row" },
      make("td", { role: "cell" }, ...named(tree.item), ...tree.guesses.map((guess) => make("small", {}, guess))),
      make("td", { role: "cell", "data-label": "Team" }, make("bdi", {}, teams[tree.team])),
      make("td", { role: "cell", "data-label": "Status" }, make("bdi", {}, tree.item[STATUS])),
      size,
      make("td", { role: "cell", "data-label": "Age", class: "right" }, count(tree.item[AGE], "day")),
    );
    if (tree.size === 1) {
      size.append("1");
    } else {
      const label = `${count(tree.size, "item")}: show what is below ${tree.item[ID]}`;
      const button = make("button", { type: "button", "aria-expanded": "false", "aria-label": label }, number.format(tree.size));
      button.addEventListener("click", () => {
        const open = button.getAttribute("aria-expanded") === "true";
        button.setAttribute("aria-expanded", String(!open));
        const inner = $(`below-${tree.at}`);
        if (inner) inner.hidden = open;
        else below(tree, button, row);
      });
      size.append(button);
    }
    return row;
  }

  function page() {
    const next = chosen.slice(shown, shown + PAGE);
    const rows = next.map(draw);
    body.append(...rows);
    shown += next.length;
    const left = chosen.length - shown;
    more.hidden = left === 0;
    more.textContent = `Show ${Math.min(PAGE, left)} more of ${count(left, "root")} left`;
    return rows;
  }

  function refresh() {
    const wanted = words.value.trim().toLowerCase();
    if (wanted && !texts) texts = items.map((item) => item.slice(0, 5).filter((_, n) => n !== URL_).join("\n").toLowerCase());
    const holds = (tree) => {
      if (team.value !== "" && tree.team !== Number(team.value)) return false;
      if (!wanted || teams[tree.team].toLowerCase().includes(wanted)) return true;
      for (let at = tree.at; at < tree.at + tree.size; at += 1) if (texts[at].includes(wanted)) return true;
      return false;
    };
    const key = keys[sorting.by];
    const sign = sorting.down ? -1 : 1;
    const order = typeof key(trees[0]) === "number" ? (a, b) => key(a) - key(b) : (a, b) => collator.compare(key(a), key(b));
    chosen = trees.filter(holds).sort((a, b) => sign * order(a, b) || a.at - b.at);
    for (const head of heads) {
      if (head.dataset.sort === sorting.by) head.setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    body.replaceChildren();
    shown = 0;
    page();
    const all = chosen.reduce((sum, tree) => sum + tree.size, 0);
    const of = chosen.length === trees.length ? "" : ` of ${count(trees.length, "root")}, ${count(items.length, "item")}`;
    $("shown").textContent = `${count(chosen.length, "root")}, ${count(all, "item")}${of}`;
  }

  teams.forEach((name, n) => team.append(make("option", { value: String(n) }, name)));
  words.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(refresh, items.length > 2000 ? 120 : 0);
  });
  team.addEventListener("change", refresh);
  for (const head of heads) {
    head.querySelector("button").addEventListener("click", () => {
      const by = head.dataset.sort;
      const numbers = by === "items" || by === "age";
      sorting = { by, down: sorting.by === by ? !sorting.down : numbers };
      refresh();
    });
  }
  more.addEventListener("click", () => page()[0]?.querySelector("a, button")?.focus());
  document.documentElement.classList.add("live");
  explorer.hidden = false;
  if (trees.length) refresh();
})();
