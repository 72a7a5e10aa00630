"""The tickets of the fictional company: one row each, `|` between the columns.

    key | type | parent | status | created, days ago | updated, days ago | assignee | title | labels

Whatever does not fit a row stands below by key: descriptions, fields, links, comments, resolutions.
"""

from __future__ import annotations

from typing import Any

PROJECTS = {  # key -> name
    "PAY": "Payments",
    "WEB": "Web",
    "OPS": "Platform Operations",
    "GRO": "Growth",
    "SEC": "Security (restricted)",
}

TICKETS = """
SEC-1  | Epic     |        | In Progress | 120 | 20 | tom   | Second acquirer, before it is announced |
PAY-1  | Epic     |        | In Progress | 62 | 2  | lin   | One-page checkout | initiative:INIT-CHECKOUT
PAY-2  | Story    | PAY-1  | In Review   | 58 | 1  | jonas | Merge address and payment steps | ux
PAY-3  | Story    | PAY-1  | In Progress | 57 | 3  | mei   | Remember the last card used |
PAY-4  | Sub-task | PAY-3  | To Do       | 40 | 21 | mei   | Vault migration script |
PAY-5  | Sub-task | PAY-3  | To Do       | 40 | 21 |       | Consent text for stored cards | legal
PAY-6  | Story    | PAY-1  | To Do       | 55 | 30 |       | Guest checkout without an account |
PAY-7  | Bug      | PAY-1  | Done        | 50 | 12 | jonas | Amount flickers on slow phones |
PAY-8  | Story    | PAY-1  | Done        | 61 | 25 | lin   | Validate card numbers while typing |
PAY-10 | Epic     |        | In Progress | 70 | 4  | sam   | Dispute automation | kr:O1.KR2
PAY-11 | Story    | PAY-10 | In Progress | 66 | 5  | tom   | Collect evidence from the ledger |
PAY-12 | Story    | PAY-10 | To Do       | 64 | 33 |       | Answer "not received" disputes automatically |
PAY-13 | Task     | PAY-10 | In Progress | 35 | 6  | tom   | Alarm when the dispute queue stops | kr:O3.KR1
PAY-14 | Story    | PAY-10 | Done        | 60 | 9  | sam   | Win rate of disputes on the risk dashboard |
PAY-20 | Epic     |        | In Progress | 150 | 3 | kofi  | Ledger rewrite |
PAY-21 | Story    | PAY-20 | In Progress | 120 | 3 | tom   | Double-entry postings |
PAY-22 | Story    | PAY-20 | To Do       | 110 | 40 |      | Nightly reconciliation |
PAY-23 | Task     | PAY-20 | Done        | 130 | 36 | tom  | Backfill the postings of 2024 |
PAY-30 | Epic     |        | To Do       | 48 | 10 | jonas | Gift cards |
PAY-31 | Story    | PAY-30 | In Progress | 45 | 4  | jonas | Sell gift cards in the shop | seasonal
PAY-32 | Story    | PAY-30 | To Do       | 45 | 10 |       | Redeem gift cards |
PAY-33 | Sub-task | PAY-32 | To Do       | 30 | 10 |       | Currency rounding of remaining balances |
PAY-34 | Story    | PAY-30 | To Do       | 44 | 44 |       | Remind owners before a card expires |
PAY-40 | Epic     |        | In Progress | 98 | 15 | mei   | Loyalty points pilot | initiative:INIT-LOYALTY
PAY-41 | Story    | PAY-40 | In Progress | 80 | 13 | mei   | Points on every payment |
PAY-42 | Story    | PAY-40 | To Do       | 80 | 60 |       | Points in the receipt mail |
PAY-50 | Task     |        | In Progress | 33 | 8  | sam   | PCI DSS evidence for the 2026 audit | exempt:compliance
PAY-51 | Task     |        | To Do       | 20 | 20 | tom   | Rotate signing keys of payouts | exempt:operational-health
PAY-52 | Bug      |        | In Progress | 6  | 1  | jonas | Refund button fires twice |
PAY-53 | Task     |        | To Do       | 14 | 7  | lin   | Tell why a card is declined | initiative:INIT-CHEKOUT
PAY-54 | Story    |        | In Progress | 29 | 2  | mei   | 支付页面支持支付宝和微信支付 |
PAY-55 | Story    | SEC-1  | In Progress | 24 | 5  | kofi  | Route payouts through a fallback |
PAY-56 | Sub-task | PAY-55 | To Do       | 22 | 22 |       | Measure payout delay per route |
PAY-57 | Story    |        | To Do       | 26 | 11 | tom   | Upload API for dispute evidence |
PAY-58 | Task     |        | Done        | 50 | 30 | lin   | Price list for Nordic merchants | kr:O4.KR2
PAY-59 | Task     |        | To Do       | 18 | 9  | ada   | Renew the acquirer contract before it leaks | objective:O1
WEB-1  | Epic     |        | In Progress | 75 | 1  | noor  | Self-serve onboarding | initiative:INIT-SELFSERVE
WEB-2  | Story    | WEB-1  | Done        | 70 | 18 | noor  | Sign-up in three steps |
WEB-3  | Story    | WEB-1  | In Progress | 68 | 1  | jonas | Upload documents with an instant check |
WEB-4  | Sub-task | WEB-3  | In Progress | 30 | 2  | jonas | Show why a document was refused |
WEB-5  | Sub-task | WEB-3  | To Do       | 30 | 30 |       | Photos from the phone's camera |
WEB-6  | Story    | WEB-1  | To Do       | 66 | 15 |       | Test payments from the first minute |
WEB-7  | Story    | WEB-1  | In Review   | 60 | 2  | mei   | Go-live checklist |
WEB-8  | Story    | WEB-1  | Done        | 72 | 41 | noor  | Company search instead of a form |
WEB-10 | Epic     |        | In Progress | 90 | 6  | noor  | Design system refresh |
WEB-11 | Story    | WEB-10 | In Progress | 60 | 5  | mei   | New button tokens |
WEB-12 | Story    | WEB-10 | To Do       | 60 | 45 |       | Icons as one font |
WEB-13 | Story    | WEB-10 | To Do       | 59 | 45 |       | Dark mode |
WEB-14 | Task     | WEB-10 | Done        | 85 | 50 | mei   | Inventory of colours |
WEB-20 | Epic     |        | In Progress | 170 | 22 | mei  | Mobile SDK 2 | initiative:INIT-MOBILE-SDK
WEB-21 | Story    | WEB-20 | In Progress | 100 | 22 | mei  | Native card form |
WEB-22 | Story    | WEB-20 | To Do       | 100 | 70 |      | Sample app |
WEB-30 | Task     |        | To Do       | 36 | 36 | noor  | Accessibility statement | exempt:compliance
WEB-31 | Task     |        | To Do       | 88 | 47 | jonas | Remove the last of jQuery |
WEB-32 | Task     |        | In Progress | 41 | 9  | jonas | Upgrade to the current React | exempt:tech-debt
WEB-33 | Task     |        | To Do       | 12 | 12 | noor  | <script>alert("shop name")</script> breaks the header |
WEB-34 | Task     |        | To Do       | 10 | 10 |       | @team please look at the footer, see #12 and PAY-1 |
WEB-35 | Story    |        | In Progress | 20 | 2  | mei   | Pay button always in view | checkout
WEB-36 | Task     |        | To Do       | 19 | 19 |       | Fewer redirects on the way to 3-D Secure | checkout
WEB-37 | Story    |        | Done        | 45 | 16 | jonas | Show accepted cards early | checkout
WEB-38 | Task     |        | To Do       | 15 | 8  | noor  | Welcome mail with the next step |
WEB-39 | Task     |        | Done        | 65 | 27 | noor  | Old banner for the summer sale |
OPS-1  | Epic     |        | In Progress | 84 | 2  | kofi  | Failover to a second region | initiative:INIT-RESILIENCE
OPS-2  | Story    | OPS-1  | In Progress | 80 | 2  | kofi  | Replicate the payment store |
OPS-3  | Story    | OPS-1  | To Do       | 78 | 26 |       | Rehearse failover every month |
OPS-4  | Task     | OPS-1  | Done        | 82 | 20 | kofi  | Second region, network and accounts |
OPS-5  | Task     | OPS-1  | In Review   | 40 | 1  | tom   | Health checks that tell the truth |
OPS-10 | Epic     |        | In Progress | 56 | 7  | tom   | Authorisation under 250 ms |
OPS-11 | Story    | OPS-10 | In Progress | 50 | 7  | tom   | Cache of merchant settings |
OPS-12 | Story    | OPS-10 | To Do       | 50 | 29 |       | Move tokenisation next to the API |
OPS-13 | Task     | OPS-10 | Done        | 54 | 22 | tom   | Trace every hop of an authorisation |
OPS-20 | Epic     |        | In Progress | 47 | 5  | kofi  | Kubernetes upgrade | exempt:operational-health
OPS-21 | Task     | OPS-20 | In Progress | 46 | 5  | kofi  | Upgrade the staging cluster |
OPS-22 | Task     | OPS-20 | To Do       | 46 | 46 |       | Upgrade production |
OPS-23 | Task     | OPS-20 | Done        | 46 | 15 | kofi  | Replace removed APIs |
OPS-31 | Task     |        | In Progress | 31 | 3  | kofi  | Cheaper storage for logs |
OPS-32 | Task     |        | To Do       | 27 | 27 |       | Cost dashboard per team |
OPS-33 | Task     |        | To Do       | 23 | 16 | tom   | Replace the build runners | initiative-INIT-BUILDS
OPS-34 | Task     |        | In Progress | 9  | 4  | kofi  | Is the next PostgreSQL worth it? | exempt:discovery
OPS-35 | Bug      |        | To Do       | 5  | 5  |       | Alert fires when nothing is wrong |
OPS-40 | Initiative |      | To Do       | 95 | 38 | kofi  | Platform 2027 |
OPS-41 | Epic     | OPS-40 | To Do       | 93 | 38 | kofi  | Paved road for new services |
OPS-42 | Story    | OPS-41 | To Do       | 92 | 38 |       | Service template |
OPS-43 | Story    | OPS-41 | In Progress | 91 | 17 | jonas | Golden dashboards |
GRO-1  | Epic     |        | In Progress | 140 | 19 | ines | Referral programme | initiative:INIT-REFERRAL
GRO-2  | Story    | GRO-1  | In Progress | 100 | 19 | ines | Invite link in the dashboard |
GRO-3  | Story    | GRO-1  | To Do       | 100 | 77 |      | Fraud check of referrals |
GRO-10 | Epic     |        | In Progress | 52 | 6  | ines  | Landing pages per industry | kr:G1.KR1
GRO-11 | Story    | GRO-10 | In Progress | 50 | 6  | ines  | Page for restaurants |
GRO-12 | Story    | GRO-10 | To Do       | 50 | 50 |       | Page for clubs and associations |
GRO-13 | Task     | GRO-10 | Done        | 51 | 28 | ines  | Analytics of landing pages |
GRO-20 | Epic     |        | In Progress | 37 | 8  | ines  | Conference season |
GRO-21 | Task     | GRO-20 | In Progress | 35 | 8  | ines  | Booth in Lisbon |
GRO-22 | Task     | GRO-20 | To Do       | 35 | 35 |       | Swag |
GRO-30 | Task     |        | To Do       | 17 | 13 | ines  | Newsletter in December |
GRO-31 | Task     |        | To Do       | 16 | 16 |       | =HYPERLINK("http://prices.example";"new price list") |
GRO-32 | Task     |        | To Do       | 43 | 43 | ines  | Cookie banner like everybody's | exempt:parity
GRO-33 | Story    |        | In Progress | 42 | 6  | ines  | Banner test on the pricing page | initiative:INIT-BANNERS
GRO-34 | Story    |        | To Do       | 130 | 66 |      | Win back merchants who left | objective:Q3-O2
"""

BODIES = {
    "PAY-20": "Postings move to double entry.\n\nSee the decision record in the wiki.",
    "PAY-52": "Seen twice this week.\n\nSteps:\n1. open a payment\n2. click Refund quickly",
    "OPS-10": "Merchants see the pay button hang.\n\nOKR: O3.KR2",
    "WEB-10": "Objective: make the pages look as one.\n\nNo numbers yet.",  # prose, not a trailer
    "OPS-32": "> OKR: O3.KR1\n\nquoted from the old ticket, does not count",
}
FIELDS: dict[str, dict[str, Any]] = {  # custom fields as Jira's JSON has them
    "PAY-20": {"OKR Initiative": {"id": "10201", "value": "INIT-LEDGER"}, "Team": {"id": "t-1", "name": "Payments"}},
    "PAY-1": {"Story Points": 21.0, "Team": {"id": "t-1", "name": "Payments"}},
    "WEB-1": {"Story Points": 34.0, "Team": {"id": "t-2", "name": "Web"}},
    "WEB-10": {"Story Points": 40.0, "Team": {"id": "t-2", "name": "Web"}},
    "OPS-1": {"Story Points": 55.0, "Team": {"id": "t-3", "name": "Platform"}},
    "PAY-30": {"Story Points": 13.0},
}
LINKS = [  # (from, link type, to): the first implements or blocks the second
    ("PAY-57", "Implement", "PAY-11"),
    ("OPS-11", "Blocks", "PAY-2"),
    ("WEB-12", "Relates", "GRO-12"),
]
COMPONENTS = {"WEB-38": ["onboarding"], "WEB-7": ["onboarding"], "OPS-35": ["alerts"]}
RESOLUTIONS = {"PAY-58": "Won't Do", "WEB-39": "Duplicate"}
PRIORITIES = {"PAY-52": "Highest", "PAY-1": "High", "OPS-1": "Highest", "PAY-55": "Highest", "GRO-22": "Lowest"}
SECURITY = {"PAY-59": "Management only"}

COMMENTS = [  # (key, by, days ago, text)
    ("PAY-54", "lin", 12, "/okr link INIT-WALLETS"),
    ("WEB-31", "noor", 47, "Let us not do this during the redesign.\n\n/okr exempt tech-debt until 2026-10-31"),
    ("PAY-2", "noor", 9, "The address form is ready, see the prototype."),
    ("PAY-30", "lin", 10, "Who asked for this? Marketing wants it before the holidays."),
    ("WEB-10", "jonas", 20, "I would say /okr link INIT-CHECKOUT but I am not sure."),
    ("OPS-31", "kofi", 3, "Saves about 4,000 a month."),
    ("GRO-20", "ines", 8, "Booked. Flights on Friday."),
]
