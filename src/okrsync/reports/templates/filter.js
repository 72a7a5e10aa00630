"use strict";
// Filters the rows of a section while one types. Without scripts everything is simply shown.
for (const box of document.querySelectorAll(".filter")) {
  const section = box.closest("section");
  const input = box.querySelector("input");
  const note = box.querySelector("output");
  const groups = [...section.querySelectorAll("details")];
  const rows = [...section.querySelectorAll("[data-row]")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const wasOpen = groups.map((group) => group.open);
  box.hidden = false;
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = wanted !== "" && !texts[i].includes(wanted);
      shown += row.hidden ? 0 : 1;
    });
    groups.forEach((group, i) => {
      const hits = group.querySelector("[data-row]:not([hidden])") !== null;
      group.hidden = wanted !== "" && !hits;
      group.open = wanted === "" ? wasOpen[i] : hits;
    });
    note.textContent = wanted === "" ? "" : `${shown} of ${rows.length} shown`;
  });
}
