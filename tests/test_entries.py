import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa.entries import lines_of, parse
from policy_qa.lines import asks
from policy_qa.numbering import chinese_number
from policy_qa.passages import passages
from policy_qa.types import Document, Entry, Span

SEED = Path(__file__).parents[1] / "corpus" / "taobao-after-sales.txt"
SEED_QUESTIONS = [
    "買家申請退款,被淘寶客服判定為買家的個人問題後,此買家給了差評又申請售後,請問淘寶會怎麼處理",
    "淘寶買家拍錯了,聯系不上,讓退款也不退款,不發貨會怎樣",
    "常見售後問題類型有哪些",
    "淘寶上,買家因拍錯寶貝而申請退款,申請退款對賣家店鋪有什麼影響嗎急急急",
    "淘寶買家申請退款,理由拍錯/效果不喜歡對店鋪有影響嗎",
    "淘寶上說買家拍錯了什麼意思",
    "淘寶退貨原因選擇「拍錯」對買家有什麼影響嗎",
]

# (name, page, [(path, question, answer), ...]); the number 0 marks what stands before.
STYLES = [
    (
        "parenthesised ideographs up to ten",
        "㈨ 如何付款\n刷卡。\n㈩ 如何退款\n申請。",
        [("", "如何付款", "刷卡。"), ("", "如何退款", "申請。")],
    ),
    (
        "parenthesised ideographs beyond ten, in both forms",
        "㈩ 如何付款\n刷卡。\n㈩㈠ 如何退款\n申請。\n(十二)如何換貨\n寄回。",
        [("", "如何付款", "刷卡。"), ("", "如何退款", "申請。"), ("", "如何換貨", "寄回。")],
    ),
    (
        "bracketed Chinese numerals",
        "（一）如何付款\n刷卡。\n（二）如何退款\n申請。",
        [("", "如何付款", "刷卡。"), ("", "如何退款", "申請。")],
    ),
    (
        "Chinese numerals",
        "一、付款方式\n刷卡。\n二、退款方式\n申請。",
        [("", "付款方式", "刷卡。"), ("", "退款方式", "申請。")],
    ),
    (
        "formal Chinese numerals over plain ones",
        "壹、總則\n一、目的：本規則。\n二、範圍：全部。\n貳、退款\n一、條件：七天。",
        [("", "總則", "一、目的：本規則。\n二、範圍：全部。"), ("", "退款", "一、條件：七天。")],
    ),
    (
        "1.",
        "1. How do I pay?\nBy card.\n2. Can I return it?\nYes.",
        [("", "How do I pay?", "By card."), ("", "Can I return it?", "Yes.")],
    ),
    (
        "1、",
        "1、如何付款\n刷卡。\n2、如何退款\n申請。",
        [("", "如何付款", "刷卡。"), ("", "如何退款", "申請。")],
    ),
    (
        "1)",
        "1) Payment\nBy card.\n2) Returns\nYes.",
        [("", "Payment", "By card."), ("", "Returns", "Yes.")],
    ),
    (
        "(1)",
        "(1) 如何付款\n刷卡。\n(2) 如何退款\n申請。",
        [("", "如何付款", "刷卡。"), ("", "如何退款", "申請。")],
    ),
    (
        "circled digits",
        "①如何付款\n刷卡。\n②如何退款\n申請。",
        [("", "如何付款", "刷卡。"), ("", "如何退款", "申請。")],
    ),
    (
        "Roman numerals",
        "III. Payment\nBy card.\nIV. Returns\nYes.",
        [("", "Payment", "By card."), ("", "Returns", "Yes.")],
    ),
    (
        "Section 1.",
        "Section 1. Definitions\nGoods means things.\n\nSection 2. Refunds\nWithin 14 days.",
        [("", "Definitions", "Goods means things."), ("", "Refunds", "Within 14 days.")],
    ),
    (
        "Q: and A:",
        "Q: How do I pay?\nA: By card.\n\nQ: Returns?\nA: Yes. Within\n30 days.",
        [("", "How do I pay?", "By card."), ("", "Returns?", "Yes. Within\n30 days.")],
    ),
    (
        "Question: and Answer:",
        "Question: How do I pay?\nAnswer: By card.",
        [("", "How do I pay?", "By card.")],
    ),
    (
        "Q1: and A1.",
        "Q1: 如何付款\nA1. 刷卡。\nQ2. 如何退款\nA2: 申請。",
        [("", "如何付款", "刷卡。"), ("", "如何退款", "申請。")],
    ),
    (
        "Q1 and A1 with a blank only",
        "Q1 如何付款\nA1 刷卡。\nQ2 如何退款\nA2 申請。",
        [("", "如何付款", "刷卡。"), ("", "如何退款", "申請。")],
    ),
    (
        "Q: without any A:",
        "Q：如何付款\n刷卡。\nQ：如何退款\n申請。",
        [("", "如何付款", "刷卡。"), ("", "如何退款", "申請。")],
    ),
    (
        "問: and 答: in half width",
        "問:如何付款\n答:刷卡。\n問:如何退款\n答:申請。",
        [("", "如何付款", "刷卡。"), ("", "如何退款", "申請。")],
    ),
    (
        "问： and 答： in full width",
        "问：如何付款\n答：刷卡。\n问：如何退款\n答：申请。",
        [("", "如何付款", "刷卡。"), ("", "如何退款", "申请。")],
    ),
    (
        "【問】 and 【答】",
        "【問】如何付款\n【答】刷卡。",
        [("", "如何付款", "刷卡。")],
    ),
    (
        "問題一：",
        "問題一：如何付款\n答：刷卡。\n問題二：如何退款\n答：申請。",
        [("", "如何付款", "刷卡。"), ("", "如何退款", "申請。")],
    ),
    (
        "numbered Q",
        "1. Q: How?\nA: Thus.\n2. Q: Why?\nA: So.",
        [("", "How?", "Thus."), ("", "Why?", "So.")],
    ),
    (
        "bold Q and A of Markdown",
        "**Q: How?**\n\n**A:** Thus.\n\n**Q:** Why?\n\nA: So.",
        [("", "How?", "Thus."), ("", "Why?", "So.")],
    ),
    (
        "question and answer on one line",
        "問：如何付款？答：刷卡。\n問：如何退款？答：申請。",
        [("", "如何付款？", "刷卡。"), ("", "如何退款？", "申請。")],
    ),
    (
        "Q1： and A1： in full width",
        "Ｑ１：如何退款\nＡ１：申請。\nＱ２：如何付款\nＡ２：刷卡。",
        [("", "如何退款", "申請。"), ("", "如何付款", "刷卡。")],
    ),
    (
        "Q： and A： in full width on one line",
        "Ｑ：如何退款？　Ａ：申請。\nＱ：如何付款？ Ａ：刷卡。",
        [("", "如何退款？", "申請。"), ("", "如何付款？", "刷卡。")],
    ),
    (
        "Q. and A.",
        "Q. How do I pay?\nA. By card.\n\nQ. Who decides about\nmy refund?\nA. A. Smith does.",
        [
            ("", "How do I pay?", "By card."),
            ("", "Who decides about\nmy refund?", "A. Smith does."),
        ],
    ),
    (
        "Q. and A. on one line, in both widths, and in bold",
        "Q. 如何退款？A. 申請。\nＱ．如何付款？ Ａ．刷卡。\n**Q. When?**\n**A.** At 9 A.M. daily.",
        [
            ("", "如何退款？", "申請。"),
            ("", "如何付款？", "刷卡。"),
            ("", "When?", "At 9 A.M. daily."),
        ],
    ),
    (
        "an initial at the head of an answer to Q:",
        "Q: Who decides?\nA. Smith decides.\nQ: When?\nA: A. Smith knows.",
        [("", "Who decides?", "A. Smith decides."), ("", "When?", "A. Smith knows.")],
    ),
    (
        "an initial without any mark",
        "Who decides?\nA. Smith decides.",
        [("", "Who decides?", "A. Smith decides.")],
    ),
    (
        "Markdown headings with Q: and Q., and a quarter that is none",
        (
            "### Q: 如何退款\n申請。\n### Q. Why?\nA. So.\n### **Q2：** 如何付款\nA2：刷卡。\n"
            "### Q3 results\nGood.\n### Q:\nNothing."
        ),
        [
            ("", "如何退款", "申請。"),
            ("", "Why?", "So."),
            ("", "如何付款", "刷卡。"),
            ("", "Q3 results", "Good."),
            ("", "Q:", "Nothing."),
        ],
    ),
    (
        "numbered questions without a question mark under a heading",
        "# 退貨\n1. 誰付運費\n買家。\n2. 幾天到帳\n三天。\n3. 能不能換貨\n能。",
        [
            ("退貨", "誰付運費", "買家。"),
            ("退貨", "幾天到帳", "三天。"),
            ("退貨", "能不能換貨", "能。"),
        ],
    ),
    (
        "numbered question and answer on one line",
        "1. 如何付款？刷卡。\n2. 如何退款？申請。",
        [("", "如何付款？", "刷卡。"), ("", "如何退款？", "申請。")],
    ),
    (
        "a Taiwanese statute",
        (
            "某法\n第一章 總則\n第 1 條\n為保護買家，制定本法。\n"
            "第 2 條\n定義如下：\n一、買家。\n二、賣家。\n"
            "第二章 退款\n第一節 條件\n第 2-1 條\n七日內。\n第十二條之一\n準用之。"
        ),
        [
            ("0", "", "某法"),
            ("第一章 總則", "第 1 條", "為保護買家，制定本法。"),
            ("第一章 總則", "第 2 條", "定義如下：\n一、買家。\n二、賣家。"),
            ("第二章 退款>第一節 條件", "第 2-1 條", "七日內。"),
            ("第二章 退款>第一節 條件", "第十二條之一", "準用之。"),
        ],
    ),
    (
        "a PRC statute",
        (
            "第一章　总则\n第一条　为保护买家，制定本法。\n第二条　（一）买家；\n（二）卖家。\n"
            "第三条之一　【退款】七日内。"
        ),
        [
            ("第一章　总则", "第一条", "为保护买家，制定本法。"),
            ("第一章　总则", "第二条", "（一）买家；\n（二）卖家。"),
            ("第一章　总则", "第三条之一　【退款】", "七日内。"),
        ],
    ),
    (
        "articles with a colon, with nothing after the label, and one quoted at a line's start",
        "第1條：甲。\n第2條乙，依\n第1條規定。\n第3條丙。",
        [("", "第1條", "甲。"), ("", "第2條", "乙，依\n第1條規定。"), ("", "第3條", "丙。")],
    ),
    (
        "clauses of terms of service",
        (
            "Terms\n\n1. Acceptance\nYou agree.\n2. Account\n"
            "2.1 You must be 18.\n2.2 Keep it safe.\n3. End\n"
            "We may end it."
        ),
        [
            ("0", "", "Terms"),
            ("", "Acceptance", "You agree."),
            ("Account", "", "You must be 18."),
            ("Account", "", "Keep it safe."),
            ("", "End", "We may end it."),
        ],
    ),
    (
        "Markdown headings, nested, with questions and with numbers below",
        (
            "# FAQ\n\n## How do I pay?\n\nBy card.\n\n## Returns ##\n\n### Can I?\n\nYes.\n\n"
            "## C#\n1. Why?\nSo.\n2. How?\nThus."
        ),
        [
            ("FAQ", "How do I pay?", "By card."),
            ("FAQ>Returns", "Can I?", "Yes."),
            ("FAQ>C#", "Why?", "So."),
            ("FAQ>C#", "How?", "Thus."),
        ],
    ),
    (
        "underlined Markdown headings, fenced code and front matter",
        (
            "---\ntags: [a]\n---\nReturns\n=======\nYes.\n"
            "\nShipping\n---\n```\n# no heading\n```\nSoon."
        ),
        [
            ("", "Returns", "Yes."),
            ("Returns", "Shipping", "```\n# no heading\n```\nSoon."),
        ],
    ),
    (
        "bold lines as headings",
        "**How do I pay?**\n\nBy card.\n\n**Returns**\nYes.",
        [("", "How do I pay?", "By card."), ("", "Returns", "Yes.")],
    ),
    (
        "lines that end in a question mark",
        "如何付款？\n刷卡。\n\nCan I return it?\nYes.",
        [("", "如何付款？", "刷卡。"), ("", "Can I return it?", "Yes.")],
    ),
    (
        "bulleted and lettered questions",
        "- How do I pay?\n  By card.\n- Returns?\n  Yes.\nC. Why?\nSo.",
        [("", "How do I pay?", "By card."), ("", "Returns?", "Yes."), ("", "Why?", "So.")],
    ),
    (
        "wrapped English questions",
        (
            "What happens if I do not receive\nmy order in time?\n"
            "We refund it.\n\nCan I return it?\nYes."
        ),
        [
            ("", "What happens if I do not receive\nmy order in time?", "We refund it."),
            ("", "Can I return it?", "Yes."),
        ],
    ),
    (
        "numbered and wrapped English questions with wrapped answers",
        (
            "1. What happens if I do not receive\n   my order?\nWe refund what you paid within\n"
            "14 days.\n\n2. Why?\nSo."
        ),
        [
            (
                "",
                "What happens if I do not receive\n   my order?",
                "We refund what you paid within\n14 days.",
            ),
            ("", "Why?", "So."),
        ],
    ),
    (
        "headings over paragraphs that hold lists",
        (
            "退款規則\n\n下列可退，但限七日內：\n1. 未拆封。\n"
            "2. 未使用。\n\n發貨規則\n\n應在72小時內發貨，逾期賠付。"
        ),
        [
            ("", "退款規則", "下列可退，但限七日內：\n1. 未拆封。\n2. 未使用。"),
            ("", "發貨規則", "應在72小時內發貨，逾期賠付。"),
        ],
    ),
    (
        "English headings over wrapped paragraphs",
        (
            "RETURNS\n\nYou can return it within 30 days\n"
            "of receipt.\n\nRefunds\nWe pay within\n5 days."
        ),
        [
            ("", "RETURNS", "You can return it within 30 days\nof receipt."),
            ("", "Refunds", "We pay within\n5 days."),
        ],
    ),
    (
        "plain paragraphs",
        "買家可以退款。\n但限七日。\n\n賣家應發貨。",
        [("", "", "買家可以退款。\n但限七日。"), ("", "", "賣家應發貨。")],
    ),
    (
        "headings with numbered questions inside",
        (
            "一、付款\n1. 如何付款？\n刷卡。\n2. 可以分期嗎？\n"
            "可以。\n二、退款\n以下說明。\n1. 如何退款？\n申請。\n"
            "2. 多久到帳？\n三天。"
        ),
        [
            ("付款", "如何付款？", "刷卡。"),
            ("付款", "可以分期嗎？", "可以。"),
            ("", "退款", "以下說明。"),
            ("退款", "如何退款？", "申請。"),
            ("退款", "多久到帳？", "三天。"),
        ],
    ),
    (
        "CRLF line ends",
        "1. 如何付款\r\n刷卡。\r\n2. 如何退款\r\n申請。\r\n",
        [("", "如何付款", "刷卡。"), ("", "如何退款", "申請。")],
    ),
    (
        "a preamble",
        "常見問題\n更新於 2024 年\n\n1. 如何付款\n刷卡。\n2. 如何退款\n申請。",
        [
            ("0", "", "常見問題\n更新於 2024 年"),
            ("", "如何付款", "刷卡。"),
            ("", "如何退款", "申請。"),
        ],
    ),
    (
        "a preamble that begins like a number",
        "2024. 新版\n1. 如何付款\n刷卡。\n2. 如何退款\n申請。",
        [("0", "", "2024. 新版"), ("", "如何付款", "刷卡。"), ("", "如何退款", "申請。")],
    ),
    (
        "a table of contents",
        "1. 付款\n2. 退款\n\n1. 付款\n刷卡。\n2. 退款\n申請。",
        [("0", "", "1. 付款\n2. 退款"), ("", "付款", "刷卡。"), ("", "退款", "申請。")],
    ),
    (
        "lists of the same form inside answers",
        (
            "1、如何退款\n步驟:\n1、打開訂單\n2、點退款\n"
            "2、如何付款\n刷卡。\n3、如何發貨\n請:\n1、打包\n2、寄出"
        ),
        [
            ("", "如何退款", "步驟:\n1、打開訂單\n2、點退款"),
            ("", "如何付款", "刷卡。"),
            ("", "如何發貨", "請:\n1、打包\n2、寄出"),
        ],
    ),
    (
        "a list under a line with a colon",
        "下列情形可退：\n（一）未拆封。\n（二）未使用。",
        [("", "", "下列情形可退：\n（一）未拆封。\n（二）未使用。")],
    ),
    (
        "numbering with gaps",
        "1. 付款\n刷卡。\n3. 退款\n申請。\n7. 換貨\n寄回。",
        [("", "付款", "刷卡。"), ("", "退款", "申請。"), ("", "換貨", "寄回。")],
    ),
    (
        "a number given twice",
        "㈠ 甲問題\n答甲。\n㈡ 乙問題\n答乙。\n㈡ 丙問題\n答丙。\n㈣ 丁問題\n答丁。",
        [
            ("", "甲問題", "答甲。"),
            ("", "乙問題", "答乙。"),
            ("", "丙問題", "答丙。"),
            ("", "丁問題", "答丁。"),
        ],
    ),
    (
        "questions numbered anew",
        (
            "1. 如何付款？\n刷卡。\n2. 可以分期嗎？\n可以。\n"
            "1. 如何退款？\n申請。\n2. 多久到帳？\n三天。"
        ),
        [
            ("", "如何付款？", "刷卡。"),
            ("", "可以分期嗎？", "可以。"),
            ("", "如何退款？", "申請。"),
            ("", "多久到帳？", "三天。"),
        ],
    ),
    (
        "one-line entries",
        "1. 退款需要3天。\n2. 發貨需要72小時。",
        [("", "", "退款需要3天。"), ("", "", "發貨需要72小時。")],
    ),
    ("an answer mark without a question", "答：刷卡。", [("", "", "答：刷卡。")]),
    ("an empty text", "", []),
    ("a blank text", " \n\u3000\r\n", []),
]


def read(page):
    """Return the page as a document, with its entries."""
    document = Document("page.txt", page)
    return document, parse(document)


def words(document: Document, span: Span) -> str:
    """Return what a span holds."""
    return document.text[span.start : span.end]


@pytest.mark.parametrize(("page", "expected"), [s[1:] for s in STYLES], ids=[s[0] for s in STYLES])
def test_styles(page, expected):
    """Each style of page gives its entries with their headings, questions and answers."""
    document, entries = read(page)
    first = 0 if expected and expected[0][0] == "0" else 1

    assert [
        (e.id, ">".join(e.path), words(document, e.question), words(document, e.answer))
        for e in entries
    ] == [
        (f"page#{n}", path.replace("0", "") if n == 0 else path, question, answer)
        for n, (path, question, answer) in enumerate(expected, start=first)
    ]


def test_byte_order_mark():
    """A byte order mark that was left in the text hides no entry."""
    document, entries = read("\ufeff1. 如何付款\n刷卡。\n2. 如何退款\n申請。")

    assert [words(document, e.question) for e in entries] == ["如何付款", "如何退款"]


def seed():
    """Return the seed with its entries."""
    document = Document(SEED.name, SEED.read_text("utf-8"))
    return document, parse(document)


def test_seed_questions():
    """The seed holds exactly the entries #1 to #7 with its seven questions."""
    document, entries = seed()

    assert [e.id for e in entries] == [f"taobao-after-sales#{n}" for n in range(1, 8)]
    assert [words(document, e.question) for e in entries] == SEED_QUESTIONS


def test_seed_stray_line():
    """The stray line of the seed stands in the fifth entry, and is no passage of any."""
    document, entries = seed()
    stray = "(5)買家拍錯的為什麼也算售後擴展閱讀"

    assert [e.id for e in entries if stray in words(document, e.answer)] == ["taobao-after-sales#5"]
    assert not any("擴展閱讀" in p.text for e in entries for p in passages(document, e))


@pytest.mark.parametrize(
    ("numeral", "value"),
    [
        ("一", 1),
        ("十", 10),
        ("十一", 11),
        ("二十", 20),
        ("一百零三", 103),
        ("一〇三", 103),
        ("拾貳", 12),
    ],
)
def test_chinese_number(numeral, value):
    """Chinese numerals are read with their units or as digits in a row."""
    assert chinese_number(numeral) == value


QUESTIONS_WITHOUT_MARK = """
誰付運費 运费谁付 幾天到帳 几天到账 可以退幾個 可以退几个 賣家不理怎辦 卖家不理怎办
在哪兒申請 在哪儿申请 在哪裏申請 能不能退 可不可以換 有沒有運費 有没有运费 要不要付款
會不會漏發 会不会漏发 是不是本人 該不該賠 该不该赔
"""
STATEMENTS = "幾乎全部 几乎全部 過了好幾天 这几天的订单 十幾天後 前幾個步驟 有運費 不會漏發"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("可以退款嗎", True),
        ("如何退款", True),
        ("What is this", True),
        ("「可以嗎？」", True),
        ("退款說明", False),
        ("如何退款見下文。", False),
        ("Returns", False),
        *((text, True) for text in QUESTIONS_WITHOUT_MARK.split()),
        *((text, False) for text in STATEMENTS.split()),
    ],
)
def test_asks(text, expected):
    """A question needs no question mark, and a statement that holds a question word is none."""
    assert asks(text) is expected


PIECES = [
    "\n", "\n\n", "\r\n", "\r", " ", "\u3000", "。", "？", "?", ".", "，", ":", "：", "```",
    "---", "===", "# ", "## ", "**", "- ", "1. ", "2. ", "3. ", "1、", "1.1 ", "2.1 ", "(1)",
    "①", "㈠", "㈩㈠", "一、", "二、", "（一）", "壹、", "Q: ", "A: ", "Q1 ", "問：", "答：",
    "Q. ", "A. ", "Ｑ１：", "Ａ：", "【問】", "第一條 ", "第2條", "第一章 ", "Section 1. ", "退款",
    "如何付款", "賣家72小時發貨", "How", "not", "e\u0301", "\ufeff", "\x1c", "\u2028",
]  # fmt: skip
PAGES = st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=200)


@settings(max_examples=400, deadline=None)
@given(PAGES)
def test_nothing_is_lost(page):
    """Entries stand in order, apart, and hold all the page but the headings above them."""
    _, entries = read(page)
    position = 0
    for entry in entries:
        assert position <= entry.span.start < entry.span.end <= len(page)
        assert_only_headings(page[position : entry.span.start], entry)
        assert_inside(entry)
        position = entry.span.end
    assert not page[position:].strip(BLANKS)
    assert len({entry.id for entry in entries}) == len(entries)


def assert_only_headings(gap: str, entry: Entry) -> None:
    """Between two entries stand the headings of the second, their marks, and blanks."""
    for heading in entry.path:
        gap = gap.replace(heading, "", 1) if heading else gap
    assert all(len(line.strip()) <= MARK_CHARS for line in re.split("[\r\n]", gap)), gap


MARK_CHARS = 24
BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\ufeff"


def assert_inside(entry: Entry) -> None:
    """The question and the answer lie in the entry, apart."""
    assert entry.span.start <= entry.question.start <= entry.question.end
    assert entry.question.end <= entry.answer.start or not entry.question or not entry.answer
    assert entry.answer.start <= entry.answer.end <= entry.span.end


@settings(max_examples=200, deadline=None)
@given(PAGES)
def test_lines_slice_back(page):
    """Lines give the page's text between its line breaks, without outer blanks."""
    lines = lines_of(page, Span(0, len(page)))

    assert [line.text for line in lines] == [x.strip(BLANKS) for x in re.split("\r\n|\r|\n", page)]
    assert [page[x.span.start : x.span.end] for x in lines] == [line.text for line in lines]


@pytest.mark.parametrize("name", ["a.md", "a.markdown", "a.txt"])
def test_front_matter_is_no_entry(name):
    """What stands between dashes at the top of a file is data about it, not of it."""
    text = "---\ntags: a, b\ntitle: T\n---\n# Returns\nWithin 7 days.\n"
    (entry,) = parse(Document(name, text))
    assert text[entry.question.start : entry.question.end] == "Returns"
    assert entry.span.start >= text.index("# Returns")


def test_dashes_in_plain_text_are_text():
    """What says neither tags nor dates in a text file is no front matter: nothing is lost."""
    text = "---\nNotice: a, b\n---\nWithin 7 days.\n"
    entries = parse(Document("a.txt", text))
    assert any("Notice: a, b" in text[entry.span.start : entry.span.end] for entry in entries)
