"""Readers of HTML, DOCX and PDF, on files that LibreOffice wrote (`tests/files/make.py`)."""

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from policy_qa.errors import CorpusError
from policy_qa.readers import docx, extras, html, pdf, pdf_lines, read_file
from policy_qa.readers.docx_numbers import numeral
from policy_qa.readers.html import to_text
from policy_qa.types import Place

FILES = Path(__file__).parent / "files"

RETURNS = """\
# 退換貨常見問題

本頁說明退貨、換貨與運費的規定，適用於所有在本店下單的買家。

## 收到的商品有瑕疵怎麼辦？

請在收到商品後七天內聯絡客服，並附上商品與外箱的照片。客服確認之後，會在兩個工作天內寄出換貨用的回郵單；\
如果沒有庫存，則全額退款，運費由本店負擔，買家不必先行墊付任何費用。

1. 拍下瑕疵處與訂單編號。
2. 在訂單頁按下「申請換貨」。
3. 把商品交給物流士。

## 退款什麼時候入帳？

信用卡付款者，退款在本店確認收到退貨後五到十個工作天入帳；以超商代碼付款者，請提供本人的銀行帳號，款項在\
三個工作天內匯出。遇到國定假日則順延到下一個工作天，不另行通知。

## 各地運費多少？

地區：台北市；運費：60元；送達天數：1天。
地區：花蓮縣；運費：100元；送達天數：2到3天。
地區：金門縣；運費：180元；送達天數：5天。

單筆訂單滿一千五百元，台灣本島免運費。

## 哪些商品不能退？

貼身衣物、已拆封的軟體、依買家要求訂製的商品以及易腐壞的食品，除有瑕疵外不接受退貨。生鮮食品請在到貨當天\
檢查，發現損壞請於二十四小時內通知。

- 貼身衣物：內衣、襪子、泳裝。
- 客製商品：刻字、印名。

## 可以只退一件嗎？

可以。多件訂單可以只退其中一件；若退貨後的金額低於免運門檻，原先減免的運費會從退款中扣除。"""

EXPENSES = """\
# Expense policy

This policy says which costs are paid back, who signs for them, and how long it takes. It holds \
for everyone who travels for the company, including contractors.

## Which hotels may I book?

Any hotel of up to 150 euros a night, breakfast included. In Zurich and London the limit is 220 \
euros. Ask your manager before you book anything above the limit, because costs that were not \
approved are paid back only in part.

## How do I hand in receipts?

1. Take a picture of each receipt on the day you get it.
2. Upload it within 30 days of the trip.
3. Name the project and the person who approved the trip.

## What is paid for meals?

Meal: Breakfast; Limit: 12 euros.
Meal: Lunch; Limit: 18 euros.

## When is the money paid?

With the next salary, if the receipts arrive before the 15th of the month; otherwise with the \
salary after that. Questions go to the accounting team."""

STATUTE = """\
# 网络购物退货管理办法

第一章 总则
第一条 为了保护消费者的合法权益，规范网络购物的退货行为，制定本办法。
第二条 消费者有权自收到商品之日起七日内退货，且无需说明理由，但下列商品除外：消费者定作的商\
品；鲜活易腐的商品；在线下载或者消费者拆封的音像制品、计算机软件等数字化商品；交付的报纸、期刊。
第三条 消费者退货的商品应当完好。
第二章 程序
第四条 经营者应当自收到退回商品之日起七日内返还消费者支付的商品价款。退回商品的运费由消费者\
承担；经营者和消费者另有约定的，按照约定。
第五条 经营者违反本办法规定，拒绝退货的，由市场监督管理部门责令改正，处一万元以上五万元以下的\
罚款；情节严重的，处五万元以上二十万元以下的罚款，并可以责令停业整顿。
第六条 本办法自2026年1月1日起施行。"""


def read(name):
    """Return the document of a committed file, and its entries."""
    [(document, entries)] = read_file(FILES / name, f"shop/{name}")
    return document, entries


def refusal(file):
    """Return the one line with which a file is refused."""
    with pytest.raises(CorpusError) as caught:
        list(read_file(file, file.name))
    message = str(caught.value)
    assert "\n" not in message
    assert str(file) in message
    return message.removeprefix(str(file))


def shown(page):
    """Return what a piece of HTML shows."""
    return to_text(page, Path("page.html"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("returns-hant.docx", RETURNS),
        ("returns-hant.html", RETURNS),
        ("expenses-en.docx", EXPENSES),
        ("expenses-en.html", EXPENSES),
    ],
)
def test_office_pages(name, text):
    """Headings, wrapped lines, numbers of lists and headers of tables of a real file are kept."""
    document, entries = read(name)

    assert document.text == text
    assert document.tags == ("shop",)
    assert document.places == ()
    assert [entry.id for entry in entries] == [
        f"shop/{name}#{n}" for n in range(1, len(entries) + 1)
    ]
    questions = [document.text[e.question.start : e.question.end] for e in entries]
    assert questions == [line.lstrip("# ") for line in text.split("\n") if line.startswith("#")]


@pytest.mark.parametrize(
    ("name", "text", "second"),
    [
        ("returns-hant.pdf", RETURNS, "## 哪些商品不能退？"),
        ("expenses-en.pdf", EXPENSES, "## What is paid for meals?"),
        ("statute-hans.pdf", STATUTE, "第五条 "),
    ],
)
def test_pdf(name, text, second):
    """A PDF gives the text as it was before it was set, without its headers, and its pages."""
    document, entries = read(name)

    def plain(text):
        text = re.sub(r"(?<=\d) (?=[元天到年月日])|(?<=[到自年月]) (?=\d)", "", text)  # as set
        return re.sub(r"\n+", "\n", text.replace("•", "-"))

    text = text.replace("地區：台北市；", "地區 運費 送達天數\n地區：台北市；")
    text = text.replace("Meal: Breakfast", "Meal Limit\nMeal: Breakfast")
    text = re.sub(r"(?m)^(?:地區：|Meal: )(.*?)[；;] ?(?:運費：|Limit: )(.*)[。.]$", r"\1 \2", text)
    text = text.replace("；送達天數：", " ")
    text = text.replace("退貨。生鮮", "退貨。\n生鮮")  # a sentence that ends where its line does
    assert plain(document.text) == plain(text)
    assert document.places == (
        (0, Place("page", 1)),
        (document.text.index(second), Place("page", 2)),
    )
    assert [entry.id for entry in entries] == [
        f"shop/{name}#{n}" for n in range(1, len(entries) + 1)
    ]


def test_statute_docx():
    """The articles of a statute are entries under their chapters."""
    document, entries = read("statute-hans.docx")

    assert re.sub("\n+", "\n", document.text) == re.sub("\n+", "\n", STATUTE)
    assert [(document.text[e.question.start : e.question.end], e.path[-1]) for e in entries] == [
        *((f"第{n}条", "第一章 总则") for n in "一二三"),
        *((f"第{n}条", "第二章 程序") for n in "四五六"),
    ]


def test_counted_articles():
    """Numbers that Word counts by itself stand in the text, across what interrupts them."""
    document, entries = read("rules-hant.docx")

    assert document.text == (
        "# 會員規則\n\n第一條 會員須年滿十八歲。\n第二條 會員資格不得轉讓[1]。\n\n"
        "前二條於贈與時亦適用。\n\n"
        "第三條 違反規定者，本店得取消其資格。\n\n1. 自申請之日起算。"
    )
    assert [document.text[e.question.start : e.question.end] for e in entries] == [
        "第一條",
        "第二條",
        "第三條",
    ]


@pytest.mark.parametrize(
    ("number", "form", "text"),
    [
        (10, "taiwaneseCountingThousand", "十"),
        (21, "chineseCounting", "二十一"),
        (105, "chineseCountingThousand", "一百零五"),
        (1010, "chineseCounting", "一千零一十"),
        (12, "ideographLegalTraditional", "拾貳"),
        (3, "ideographTraditional", "丙"),
        (4, "lowerRoman", "iv"),
        (28, "upperLetter", "28"),
        (3, "decimalEnclosedCircle", "③"),
        (3, "decimalZero", "03"),
        (3, "none", ""),
        (3, "klingon", "3"),
    ],
)
def test_numerals(number, form, text):
    """Numbers have the form in which Word shows them."""
    assert numeral(number, form) == text


# --- HTML


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (
            "<p>a<p>b<ul><li>一<li>二<ul><li>x</ul><li>三</ul>c",
            "a\n\nb\n\n- 一\n- 二\n  - x\n- 三\n\nc",
        ),
        ("<h1>甲</h1>乙<h3>丙</h3><p>丁<br>戊", "# 甲\n\n乙\n\n### 丙\n\n丁\n戊"),
        ("<ol start=3><li>x<li value=9>y<li>z</ol>", "3. x\n9. y\n10. z"),
        ("<ol reversed><li>x<li>y</ol><ol type=a><li>x<li>y</ol>", "2. x\n1. y\n\na. x\nb. y"),
        ("<dl><dt>甲？<dd>乙<dt>丙？<dd>丁</dl>", "## 甲？\n\n乙\n\n## 丙？\n\n丁"),
        (
            "<h2>運費</h2><details><summary>多少？</summary><p>60元</details>",
            "## 運費\n\n### 多少？\n\n60元",
        ),
        (
            "<table><tr><th>地區<th>運費<tr><td>台北<td>60元<tr><td>花蓮<td>100元</table>",
            "地區：台北；運費：60元。\n地區：花蓮；運費：100元。",
        ),
        (
            "<table><caption>運費表</caption><tr><td>地區<td>天<tr><td rowspan=2>台北<td>1<tr>"
            "<td>2</table>",
            "運費表\n地區：台北；天：1。\n地區：台北；天：2。",
        ),
        ("<table><tr><th>電話<td>123<tr><th>地址<td>台北</table>", "電話：123。\n地址：台北。"),
        (
            "<table><tr><th>問題<th>答案<th>備註<tr><td>甲？<td>乙<td>丙</table>",
            "## 甲？\n\n乙\n備註：丙。",
        ),
        (
            "<table><tr><td>選單<td><table><tr><td>a<td>b<tr><td>c<td>d</table></table>",
            "選單\n\na: c; b: d.",
        ),
        ("<table><tr><td><h2>甲？</h2><p>乙</table>", "## 甲？\n\n乙"),
        (
            "退款\n  <b>七</b>天\n，to\n  you&amp;me &lt;b&gt; &#x9000;",
            "退款七天，to you&me <b> 退",
        ),
        ("<pre>a\n  b</pre>", "a\n  b"),
        (
            "甲<script>x</script><style>x</style><!-- x --><template>x</template><nav>x</nav>"
            "<p hidden>x</p><p style='color:red;display : none'>x</p><select><option>x</select>"
            "<noscript>x</noscript><textarea>x</textarea><svg><text>x</text></svg>",
            "甲",
        ),
        ("<title>甲</title><p>乙", "# 甲\n\n乙"),
        ("<title>甲</title><h1>丙</h1><p>乙", "# 丙\n\n乙"),
        ("<title>甲</title>", ""),
        (
            "<h3><button aria-controls=a>可退嗎？</button></h3><div id=a hidden>可以。</div>",
            "### 可退嗎？\n\n可以。",
        ),
        ("<a href='#b'>多久？</a><p id=b style='display:none'>三天。", "多久？\n\n三天。"),
        ("<div>甲</div><div>乙<span>丙</span></div>", "甲\n\n乙丙"),
        ("<b>甲<p>乙</b>丙</i></p></table><li>丁", "甲\n\n乙丙\n\n- 丁"),
        ("<p>甲\0乙&shy;丙\u200b丁&#xD800;", "甲乙丙丁�"),
        ("", ""),
    ],
)
def test_html(page, text):
    """A page gives the text that it shows, however badly it is written."""
    assert shown(page) == text


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("big5", "big5hkscs"),
        ("gb2312", "gb18030"),
        ("utf-8", "utf-8"),
        ("iso-8859-1", "utf-8"),
        ("", "big5"),
        ("", "gb18030"),
        ("utf-8", "big5"),
        ("big5", "utf-8-sig"),
        ("", "utf-16"),
    ],
)
def test_charsets(tmp_path, declared, encoding):
    """A page is read by its mark, by what it says of itself, or by what is likely."""
    meta = f'<meta charset="{declared}">' if declared else ""
    text = "買家可以申請退款，這個問題是我們的責任。"
    file = tmp_path / "a.html"
    file.write_bytes(f"<head>{meta}</head><p>{text}".encode(encoding))

    [(document, _)] = read_file(file, "a.html")

    assert document.text == text


def test_latin_page(tmp_path):
    """A page of Western Europe that says so is read as such."""
    file = tmp_path / "a.htm"
    content = '<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-1"><p>café'
    file.write_bytes(content.encode("cp1252"))

    assert [document.text for document, _ in read_file(file, "a.htm")] == ["café"]


def test_deep_page():
    """A page may nest as deep as it likes."""
    assert shown("<div><b>" * 20_000 + "甲") == "甲"
    assert shown("<ul><li>" * 500 + "甲").endswith("- 甲")


def test_huge_cells():
    """Cells that claim to cover thousands of rows and columns do not."""
    page = "<table><tr><td rowspan=65534 colspan=1000>甲<td>乙" + "<tr><td>丙" * 50 + "</table>"

    assert len(shown(page)) < 100_000


def test_page_entries(tmp_path):
    """The questions of a page are its entries, their answers quotes of its text."""
    file = tmp_path / "faq.html"
    file.write_text(
        "<h1>FAQ</h1><dl><dt>May I return it?<dd>Yes.<dt>Who pays?<dd>You.</dl>", "utf-8"
    )

    [(document, entries)] = read_file(file, "faq.html")

    assert [(e.id, document.text[e.answer.start : e.answer.end], e.path) for e in entries] == [
        ("faq.html#1", "Yes.", ("FAQ",)),
        ("faq.html#2", "You.", ("FAQ",)),
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "<li>",
                "<ol>",
                "</ol>",
                "<table>",
                "<tr>",
                "<td>",
                "</table>",
                "<h2>",
                "</h2>",
                "<dl>",
                "<dt>",
                "<dd>",
                "<b>",
                "</p>",
                "<br>",
                "<details>",
                "<summary>",
                "</div>",
                "<div>",
                "甲",
                "乙？",
                "x\n",
            ]
        ),
        max_size=25,
    )
)
@example(["<table>", "<tr>", "<td>", "甲", "<table>", "<tr>", "<td>", "乙？"])
def test_no_text_is_lost(tags):
    """Tag soup keeps its words, in one order or another."""
    page = "".join(tags)
    text = shown(page)

    for word in ("甲", "乙", "x"):
        assert text.count(word) >= page.count(word)


# --- DOCX


def repacked(data, **changed):
    """Return a DOCX with some parts (`document`) replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", 8) as new:
        for name in old.namelist():
            part = name.rpartition("/")[2].partition(".")[0]
            new.writestr(name, changed.get(part, old.read(name)))
    return file.getvalue()


def test_broken_docx(tmp_path):
    """Old, locked, broken and dangerous documents are refused by what they are."""
    whole = (FILES / "rules-hant.docx").read_bytes()
    file = tmp_path / "a.docx"
    for data, message in (
        (b"\xd0\xcf\x11\xe0", " is a file of an old Office or has a password. Save it as .docx"),
        (whole[:3000], " is no DOCX file or is damaged."),
        (repacked(whole, document=b"<w"), " is no DOCX file or is damaged."),
        (repacked(whole, document=b"<!DOCTYPE a><a/>"), " holds a document type declaration"),
        (repacked(whole, document=b"<a>" * 100_000), " is no DOCX file or is damaged."),
    ):
        file.write_bytes(data)
        assert refusal(file).startswith(message)


def test_tracked_changes(tmp_path):
    """What is inserted is kept, what is deleted is not."""
    whole = (FILES / "rules-hant.docx").read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        part = package.read("word/document.xml").decode()
    run = "<w:r><w:t>{}</w:t></w:r>"
    changed = (
        '<w:p><w:ins w:id="1" w:author="x">' + run.format("七天。") + "</w:ins>"
        '<w:del w:id="2" w:author="x"><w:r><w:delText>三天。</w:delText></w:r></w:del></w:p>'
    )
    part = part.replace("<w:body>", f"<w:body>{changed}")
    file = tmp_path / "a.docx"
    file.write_bytes(repacked(whole, document=part.encode()))

    [(document, _)] = read_file(file, "a.docx")

    assert document.text.startswith("七天。\n\n# 會員規則")
    assert "三天" not in document.text


# --- PDF


def test_locked_pdf():
    """A PDF with a password says so."""
    assert refusal(FILES / "locked.pdf") == (
        " has a password. Save it without one, or take it out of the corpus."
    )


def drawn(pages):
    """Return a PDF of Helvetica; a page is a list of text, left, bottom and size."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont"]
    objects[2] += " /Helvetica >>"
    kids = []
    for page in pages:
        content = "".join(f"BT /F {s} Tf {x} {y} Td ({t}) Tj ET\n" for t, x, y, s in page)
        kids.append(f"{len(objects) + 1} 0 R")
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {len(objects) + 2} 0 R"
            " /Resources << /Font << /F 3 0 R >> >> >>",
            f"<< /Length {len(content)} >>\nstream\n{content}endstream",
        ]
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    data = "%PDF-1.4\n" + "".join(
        f"{n} 0 obj\n{content}\nendobj\n" for n, content in enumerate(objects, start=1)
    )
    return (data + "trailer << /Root 1 0 R >>\n").encode()


def test_picture_of_text(tmp_path):
    """A PDF without text asks for OCR."""
    file = tmp_path / "scan.pdf"
    file.write_bytes(drawn([[], []]))

    assert refusal(file) == (
        " holds pictures of text and hardly any text. Run OCR on it, for example with ocrmypdf, or "
        "take it out of the corpus."
    )


def test_paragraphs_of_pdf(tmp_path):
    """Lines are joined where a sentence goes on, over pages too, and not where an item opens."""
    long = "Any hotel of up to one hundred and fifty euros a night may be booked by every mem-"
    pages = [
        [
            ("Handbook", 50, 780, 9),
            ("Travel", 50, 740, 20),
            (long, 50, 700, 12),
            ("ber of the staff. Above that", 50, 685, 12),
            ("1. ask your manager", 50, 670, 12),
            ("2. then book", 50, 655, 12),
            ("Costs that were not approved before the trip are paid back only in part, and the", 50,
             620, 12),
            ("1", 300, 20, 9),
        ],
        [
            ("Handbook", 50, 780, 9),
            ("rest is not.", 50, 740, 12),
            ("2", 300, 20, 9),
        ],
    ]  # fmt: skip
    file = tmp_path / "a.pdf"
    file.write_bytes(drawn(pages))

    [(document, _)] = read_file(file, "a.pdf")

    assert document.text == (
        "# Travel\n\n"
        + long.removesuffix("-")
        + "-ber of the staff. Above that\n1. ask your manager\n2. then book\n\n"
        + pages[0][6][0]
        + " rest is not."
    ) or document.text == (
        "# Travel\n\n"
        + long.removesuffix("-")
        + "ber of the staff. Above that\n1. ask your manager\n2. then book\n\n"
        + pages[0][6][0]
        + " rest is not."
    )
    assert document.places[1] == (document.text.index("rest is"), Place("page", 2))


def test_radicals():
    """Radicals and doubles of characters become the characters; other characters stay."""
    assert pdf._normal("⼩⼊⾨⻑豈㈠①ﬁ１") == "小入門長豈㈠①ﬁ１"
    assert all(len(pdf._normal(c)) == 1 for c in map(chr, range(0x2E80, 0x2FE0)))


def test_limits_of_pdf(monkeypatch, tmp_path):
    """A PDF of too many pages or characters, or one that crashes or never ends, is refused."""
    file = tmp_path / "a.pdf"
    file.write_bytes(drawn([[("Hello to everyone", 50, 700, 12)]] * 2))
    script = tmp_path / "script.py"
    for code, message in (
        ('print(\'{"error": "pages"}\')', " has more than 3,000 pages. Split it."),
        ('print(\'{"error": "characters"}\')', " has more than 10,000,000 characters. Split it."),
        ("print('[]'); import os; os.abort()", ", page 2: the PDF is damaged."),
        ("raise ValueError", ", page 1: the PDF is damaged."),
        ("import time; time.sleep(9)", " takes more than 1 s to read."),
    ):
        script.write_text(code, "utf-8")
        monkeypatch.setattr(pdf_lines, "__file__", str(script))
        monkeypatch.setattr(pdf, "_SECONDS", 1)
        assert refusal(file).startswith(message)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"hello", b"%PDF-1.4\n" + bytes(99)])
def test_broken_pdf(tmp_path, data):
    """What is no PDF is refused as such."""
    file = tmp_path / "a.pdf"
    file.write_bytes(data)

    assert refusal(file).startswith(" is no PDF or is damaged.")


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 20_000), st.binary(min_size=1, max_size=40))
def test_damaged_files(tmp_path, position, noise):
    """Real files with damage anywhere are read or refused, and nothing else is raised."""
    for name in ("expenses-en.pdf", "rules-hant.docx", "questions.xlsx"):
        data = bytearray((FILES / name).read_bytes())
        data[position % len(data) : position % len(data) + len(noise)] = noise
        file = tmp_path / name
        file.write_bytes(data)
        try:
            list(read_file(file, name))
        except CorpusError as error:
            assert "\n" not in str(error)  # noqa: PT017 (either is right)


# --- Extras


@pytest.mark.parametrize("name", ["rules-hant.docx", "returns-hant.html", "statute-hans.pdf"])
def test_missing_reader(monkeypatch, name):
    """Without the extra's packages the error says how to install them."""
    monkeypatch.setattr(extras, "find_spec", lambda module: None)

    assert refusal(FILES / name) == (
        " needs a reader: pip install 'policy-qa[files]', or take it out of the corpus."
    )


def test_lazy_imports():
    """The readers load no library before a file needs it."""
    code = (
        "import sys, policy_qa.readers; "
        "print([m for m in ('mammoth', 'selectolax', 'pypdfium2', 'openpyxl') if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == "[]"


def test_modules():
    """The readers stand before the corpus, and import nothing of what comes after it."""
    names = (
        (docx, extras, html, pdf),
        Path(html.__file__).parent.glob("*.py"),
    )[1]
    for module in names:
        source = module.read_text("utf-8")
        assert not re.search(r"import (?:corpus|build|knowledge_base)|qa\.(?:corpus|build)", source)
