"""The issues and pull requests of the fictional company: one row each, `|` between the columns.

    number | issue, pull or draft | open, closed, merged, dropped | created, days ago | updated, days ago | author
           | title | labels (comma-separated)

Whatever does not fit a row stands below by `repository#number`.
"""

from __future__ import annotations

ORG = "acme"
REPOS = {  # name -> (private, archived)
    "web": (True, False),
    "payments-api": (True, False),
    "sdk-js": (False, False),
    "legacy-shop": (True, True),
}

ITEMS = {
    "web": """
1  | issue | open    | 34  | 4  | noor            | Checkout page jumps while it loads | bug,initiative:INIT-CHECKOUT
2  | pull  | open    | 3   | 1  | jonas           | WEB-3: Show the result of the document check |
3  | pull  | open    | 5   | 2  | mei             | Reserve space for the order summary |
4  | draft | open    | 8   | 6  | noor            | WEB-6 Test payments, first sketch |
5  | pull  | open    | 9   | 9  | dependabot[bot] | Bump vite from 7.1.4 to 7.2.0 | dependencies
6  | pull  | open    | 2   | 2  | dependabot[bot] | Bump eslint from 9.30.0 to 9.36.0 | dependencies
7  | issue | open    | 50  | 12 | mei             | Clean up the component gallery |
8  | issue | open    | 48  | 12 | mei             | Remove components nobody uses |
9  | issue | open    | 48  | 33 | jonas           | One story per component |
10 | pull  | open    | 11  | 11 | jonas           | Try a darker footer |
11 | pull  | open    | 5   | 4  | mei             | [WEB-11] New button tokens |
12 | pull  | open    | 14  | 13 | mei             | PAY-41: Points badge on the receipt |
13 | issue | open    | 40  | 3  | noor            | Order summary on small screens | enhancement
14 | issue | open    | 40  | 40 | noor            | Pay button hidden by the keyboard |
15 | pull  | merged  | 20  | 16 | jonas           | feat(WEB-37): accepted cards above the fold |
16 | issue | dropped | 60  | 30 | lin             | Confetti after paying | kr:O4.KR2
17 | pull  | closed  | 33  | 29 | jonas           | WEB-12: icon font, first attempt |
18 | issue | open    | 70  | 21 | outsider        | Tabs or spaces, once and for all |
19 | pull  | open    | 6   | 5  | kofi            | Message for delayed payouts (PAY-55) |
20 | pull  | open    | 7   | 7  | tom             | Escape `<b>` and @team in shop names <img src=x onerror=alert(1)> |
21 | pull  | merged  | 44  | 41 | noor            | WEB-8: company search |
22 | pull  | merged  | 23  | 18 | noor            | WEB-2: sign-up in three steps |
23 | pull  | merged  | 31  | 30 | dependabot[bot] | Bump react from 19.1.0 to 19.2.0 | dependencies
24 | pull  | open    | 1   | 1  | jonas           | Fix typo in the imprint |
""",
    "payments-api": """
1  | pull  | open    | 4   | 3  | jonas           | PAY-2/3: one endpoint for address and card |
2  | pull  | open    | 10  | 5  | tom             | Export ledger rows as evidence |
3  | issue | open    | 28  | 6  | tom             | Dispute webhook is retried forever | bug
4  | issue | open    | 25  | 6  | sam             | Idempotency keys for refunds | kr:O3.KR1
5  | pull  | open    | 6   | 4  | tom             | Stop retrying answered webhooks |
6  | pull  | merged  | 26  | 22 | tom             | OPS-13: trace context through the queue |
7  | pull  | merged  | 13  | 12 | jonas           | PAY-7 Round amounts once |
8  | pull  | open    | 9   | 7  | tom             | OPS-11 cache merchant settings |
9  | pull  | open    | 16  | 15 | dependabot[bot] | Bump netty from 4.2.1 to 4.2.6 | dependencies
10 | issue | open    | 46  | 46 | kofi            | Endpoint for the old terminals |
11 | pull  | open    | 12  | 12 | mei             | 支付宝: create payments |
12 | pull  | open    | 21  | 20 | tom             | Revert "PAY-21: double-entry postings" |
13 | pull  | merged  | 39  | 36 | tom             | PAY-23: backfill |
14 | issue | open    | 19  | 14 | lin             | Checkout: reason codes of declines |
15 | pull  | open    | 4   | 4  | kofi            | UTF-8 in statement texts, CVE-2026-1001 |
""",
    "sdk-js": """
1  | issue | open    | 90  | 32 | outsider        | Types for the card form are wrong | bug
2  | pull  | open    | 24  | 9  | outsider        | Fix the types of the card form |
3  | issue | open    | 55  | 18 | mei             | Support native wallets | initiative:INIT-WALLETS
4  | pull  | open    | 17  | 6  | mei             | Wallet buttons, part one |
5  | issue | open    | 100 | 70 | mei             | Version 2 of the SDK | initiative:INIT-MOBILE-SDK
6  | pull  | open    | 12  | 12 | dependabot[bot] | Bump rollup from 4.40.0 to 4.50.1 | dependencies
7  | issue | closed  | 60  | 34 | outsider        | Document the test cards | documentation
8  | pull  | merged  | 37  | 34 | noor            | Document the test cards | documentation
9  | issue | open    | 13  | 13 | outsider        | Could this work with Deno? |
""",
    "legacy-shop": """
1  | issue | open    | 200 | 180 | noor           | Shop forgets the basket | bug
2  | pull  | open    | 190 | 180 | jonas          | Keep the basket for a day |
3  | issue | closed  | 220 | 210 | noor           | Basket icon missing |
""",
}

BODIES = {
    "web#3": "Keeps the page still while prices arrive.\n\nFixes #1",
    "web#10": "Just an idea. Relates to PAY-1 only in spirit.",
    "payments-api#2": "Rows of one payment, signed.\n\nJira: PAY-11",
    "payments-api#5": "Closes #3",
    "payments-api#14": "Merchants ask why a card was declined.\n\nOKR: O1.KR1",
    "payments-api#11": "Part of the wallet work.\n\nInitiative: INIT-WALLETS",
    "sdk-js#2": "Fixes #1",
    "sdk-js#4": "Part of #3.\n\nCloses #3",
}
BRANCHES = {
    "web#2": "jonas/web-3-document-check",
    "web#4": "web-6-test-payments",
    "payments-api#12": "revert-pay-21",
    "payments-api#8": "ops-11-cache",
}
CLOSES = {  # pull request -> what GitHub shows as closing references
    "web#3": ["web#1"],
    "payments-api#5": ["payments-api#3"],
    "sdk-js#2": ["sdk-js#1"],
    "sdk-js#4": ["sdk-js#3"],
    "sdk-js#8": ["sdk-js#7"],
}
PARENTS = {  # sub-issues, also across repositories
    "web#8": "web#7",
    "web#9": "web#7",
    "payments-api#3": "web#1",
}
MILESTONES = {"web": ("Checkout GA", "Everything merchants see on day one.\n\nOKR: O1.KR1")}
IN_MILESTONE = ("web#13", "web#14")
LOCKED = ("web#18",)
TYPES = {"web#1": "Bug", "web#7": "Feature", "payments-api#4": "Task", "sdk-js#3": "Feature"}
ASSIGNEES = {"web#1": ["noor"], "payments-api#3": ["tom"], "payments-api#4": ["sam"], "sdk-js#3": ["mei"]}

COMMENTS = [  # (item, by, days ago, text)
    ("web#7", "noor", 12, "Worth a day, not more."),
    ("web#18", "outsider", 21, "Tabs, obviously."),
    ("sdk-js#1", "mei", 32, "Thank you, a pull request would be welcome."),
    ("sdk-js#9", "outsider", 13, "Happy to try.\n\n```\n/okr link INIT-WALLETS\n```"),
    ("payments-api#10", "kofi", 46, "> /okr link INIT-CHECKOUT\n\nI would rather ask first."),
]
