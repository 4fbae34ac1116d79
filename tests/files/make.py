"""Make the office files that the tests read: `python tests/files/make.py`.

The texts stand here; LibreOffice (soffice) writes the files. Their bytes differ from run to run,
their text does not.
"""

import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

HERE = Path(__file__).parent

HANT_FAQ = [
    ("h1", "退換貨常見問題"),
    ("p", "本頁說明退貨、換貨與運費的規定，適用於所有在本店下單的買家。"),
    ("h2", "收到的商品有瑕疵怎麼辦？"),
    (
        "p",
        "請在收到商品後七天內聯絡客服，並附上商品與外箱的照片。客服確認之後，會在兩個工作天內寄出"
        "換貨用的回郵單；如果沒有庫存，則全額退款，運費由本店負擔，買家不必先行墊付任何費用。",
    ),
    ("ol", ["拍下瑕疵處與訂單編號。", "在訂單頁按下「申請換貨」。", "把商品交給物流士。"]),
    ("h2", "退款什麼時候入帳？"),
    (
        "p",
        "信用卡付款者，退款在本店確認收到退貨後五到十個工作天入帳；以超商代碼付款者，請提供本人的"
        "銀行帳號，款項在三個工作天內匯出。遇到國定假日則順延到下一個工作天，不另行通知。",
    ),
    ("h2", "各地運費多少？"),
    (
        "table",
        [
            ["地區", "運費", "送達天數"],
            ["台北市", "60元", "1天"],
            ["花蓮縣", "100元", "2到3天"],
            ["金門縣", "180元", "5天"],
        ],
    ),
    ("p", "單筆訂單滿一千五百元，台灣本島免運費。"),
    ("break", ""),
    ("h2", "哪些商品不能退？"),
    (
        "p",
        "貼身衣物、已拆封的軟體、依買家要求訂製的商品以及易腐壞的食品，除有瑕疵外不接受退貨。生鮮"
        "食品請在到貨當天檢查，發現損壞請於二十四小時內通知。",
    ),
    ("ul", ["貼身衣物：內衣、襪子、泳裝。", "客製商品：刻字、印名。"]),
    ("h2", "可以只退一件嗎？"),
    (
        "p",
        "可以。多件訂單可以只退其中一件；若退貨後的金額低於免運門檻，原先減免的運費會從退款中扣除。",
    ),
]

HANS_STATUTE = [
    ("h1", "网络购物退货管理办法"),
    ("p", "第一章 总则"),
    ("p", "第一条 为了保护消费者的合法权益，规范网络购物的退货行为，制定本办法。"),
    (
        "p",
        "第二条 消费者有权自收到商品之日起七日内退货，且无需说明理由，但下列商品除外：消费者定作"
        "的商品；鲜活易腐的商品；在线下载或者消费者拆封的音像制品、计算机软件等数字化商品；交付的"
        "报纸、期刊。",
    ),
    ("p", "第三条 消费者退货的商品应当完好。"),
    ("p", "第二章 程序"),
    (
        "p",
        "第四条 经营者应当自收到退回商品之日起七日内返还消费者支付的商品价款。退回商品的运费由消"
        "费者承担；经营者和消费者另有约定的，按照约定。",
    ),
    ("break", ""),
    (
        "p",
        "第五条 经营者违反本办法规定，拒绝退货的，由市场监督管理部门责令改正，处一万元以上五万元"
        "以下的罚款；情节严重的，处五万元以上二十万元以下的罚款，并可以责令停业整顿。",
    ),
    ("p", "第六条 本办法自2026年1月1日起施行。"),
]

ENGLISH_POLICY = [
    ("h1", "Expense policy"),
    (
        "p",
        "This policy says which costs are paid back, who signs for them, and how long it takes. It "
        "holds for everyone who travels for the company, including contractors.",
    ),
    ("h2", "Which hotels may I book?"),
    (
        "p",
        "Any hotel of up to 150 euros a night, breakfast included. In Zurich and London the limit "
        "is 220 euros. Ask your manager before you book anything above the limit, because costs "
        "that were not approved are paid back only in part.",
    ),
    ("h2", "How do I hand in receipts?"),
    (
        "ol",
        [
            "Take a picture of each receipt on the day you get it.",
            "Upload it within 30 days of the trip.",
            "Name the project and the person who approved the trip.",
        ],
    ),
    ("break", ""),
    ("h2", "What is paid for meals?"),
    (
        "table",
        [["Meal", "Limit"], ["Breakfast", "12 euros"], ["Lunch", "18 euros"]],
    ),
    ("h2", "When is the money paid?"),
    (
        "p",
        "With the next salary, if the receipts arrive before the 15th of the month; otherwise with "
        "the salary after that. Questions go to the accounting team.",
    ),
]

HANT_RULES = [
    ("h1", "會員規則"),
    ("articles", ["會員須年滿十八歲。", "會員資格不得轉讓。"]),
    ("p", "前二條於贈與時亦適用。"),
    ("articles", ["違反規定者，本店得取消其資格。"]),
]
FOOTNOTE = (
    '<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation>'
    "<text:note-body><text:p>自申請之日起算。</text:p></text:note-body></text:note>"
)

STYLES = """
<office:font-face-decls>
 <style:font-face style:name="F" svg:font-family="'Noto Sans CJK TC'"/>
</office:font-face-decls>
<office:styles>
 <style:default-style style:family="paragraph"><style:text-properties style:font-name="F"
  style:font-name-asian="F" fo:font-size="11pt" style:font-size-asian="11pt"
  fo:language="{lang}" style:language-asian="{lang}"/></style:default-style>
 <style:style style:name="Standard" style:family="paragraph"/>
 <style:style style:name="Heading_20_1" style:display-name="Heading 1" style:family="paragraph"
  style:default-outline-level="1"><style:text-properties fo:font-size="18pt"
  style:font-size-asian="18pt"/></style:style>
 <style:style style:name="Heading_20_2" style:display-name="Heading 2" style:family="paragraph"
  style:default-outline-level="2"><style:text-properties fo:font-size="14pt"
  style:font-size-asian="14pt"/></style:style>
 <text:list-style style:name="N"><text:list-level-style-number text:level="1"
  style:num-suffix="." style:num-format="1"><style:list-level-properties
  text:list-level-position-and-space-mode="label-alignment"><style:list-level-label-alignment
  text:label-followed-by="listtab" fo:text-indent="-0.6cm" fo:margin-left="1.2cm"/>
  </style:list-level-properties></text:list-level-style-number></text:list-style>
 <text:list-style style:name="A"><text:list-level-style-number text:level="1"
  style:num-prefix="第" style:num-suffix="條" style:num-format="一, 二, 三, ...">
  <style:list-level-properties text:list-level-position-and-space-mode="label-alignment">
  <style:list-level-label-alignment text:label-followed-by="listtab" fo:text-indent="-1.6cm"
  fo:margin-left="2cm"/></style:list-level-properties></text:list-level-style-number>
 </text:list-style>
 <text:list-style style:name="B"><text:list-level-style-bullet text:level="1"
  text:bullet-char="•"><style:list-level-properties
  text:list-level-position-and-space-mode="label-alignment"><style:list-level-label-alignment
  text:label-followed-by="listtab" fo:text-indent="-0.6cm" fo:margin-left="1.2cm"/>
  </style:list-level-properties></text:list-level-style-bullet></text:list-style>
</office:styles>
<office:automatic-styles>
 <style:page-layout style:name="P"><style:page-layout-properties fo:page-width="21cm"
  fo:page-height="29.7cm" fo:margin="2.5cm"/></style:page-layout>
 <style:style style:name="Break" style:family="paragraph"
  style:parent-style-name="Standard"><style:paragraph-properties fo:break-before="page"/>
  </style:style>
 <style:style style:name="Cell" style:family="table-cell"><style:table-cell-properties
  fo:padding="0.1cm" fo:border="0.5pt solid #000000"/></style:style>
</office:automatic-styles>
<office:master-styles>
 <style:master-page style:name="Standard" style:page-layout-name="P">
  <style:header><text:p>{header}</text:p></style:header>
  <style:footer><text:p>{footer}</text:p></style:footer>
 </style:master-page>
</office:master-styles>
"""
NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        "office": "office", "style": "style", "text": "text", "table": "table",
        "fo": "xsl-fo-compatible", "svg": "svg-compatible", "number": "datastyle",
    }.items()
)  # fmt: skip
PAGE = "<text:page-number>1</text:page-number>"


def flat_text(blocks, header, footer, lang):
    """Return a flat OpenDocument text."""
    body = []
    breaking = False
    for kind, content in blocks:
        if kind == "break":
            breaking = True
            continue
        style = "Break" if breaking else "Standard"
        if breaking and kind != "p":
            body.append('<text:p text:style-name="Break"/>')
        breaking = False
        if kind in {"h1", "h2"}:
            level = kind[1]
            body.append(
                f'<text:h text:style-name="Heading_20_{level}" text:outline-level="{level}">'
                f"{escape(content)}</text:h>"
            )
        elif kind == "p":
            body.append(f'<text:p text:style-name="{style}">{escape(content)}</text:p>')
        elif kind in {"ol", "ul", "articles"}:
            items = "".join(
                f"<text:list-item><text:p>{escape(item)}</text:p></text:list-item>"
                for item in content
            )
            name = {"ol": "N", "ul": "B", "articles": "A"}[kind]
            goes_on = ' text:continue-numbering="true"' if kind == "articles" else ""
            body.append(f'<text:list text:style-name="{name}"{goes_on}>{items}</text:list>')
        else:
            rows = "".join(
                "<table:table-row>"
                + "".join(
                    '<table:table-cell table:style-name="Cell" office:value-type="string">'
                    f"<text:p>{escape(cell)}</text:p></table:table-cell>"
                    for cell in row
                )
                + "</table:table-row>"
                for row in content
            )
            columns = f'<table:table-column table:number-columns-repeated="{len(content[0])}"/>'
            body.append(f"<table:table>{columns}{rows}</table:table>")
    styles = STYLES.format(header=header, footer=footer, lang=lang)
    body = [part.replace("不得轉讓。", f"不得轉讓{FOOTNOTE}。") for part in body]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document {NAMESPACES} '
        'office:version="1.2" office:mimetype="application/vnd.oasis.opendocument.text">'
        f"{styles}<office:body><office:text>{''.join(body)}</office:text></office:body>"
        "</office:document>"
    )


def cell(value="", kind="string", extra="", style=""):
    """Return one cell of a flat OpenDocument sheet."""
    styled = f' table:style-name="{style}"' if style else ""
    if kind == "date":
        values = f'office:value-type="date" office:date-value="{value}"'
    elif kind == "percentage":
        values = f'office:value-type="percentage" office:value="{value}"'
    elif kind == "formula":
        values = f'table:formula="of:={escape(value)}" office:value-type="float"'
    elif kind == "float":
        values = f'office:value-type="float" office:value="{value}"'
    else:
        values = 'office:value-type="string"'
    lines = "".join(f"<text:p>{escape(line)}</text:p>" for line in str(value).split("\n"))
    lines = lines if kind == "string" and value else ""
    return f"<table:table-cell{styled} {values}{extra}>{lines}</table:table-cell>"


def row(*cells):
    """Return one row of a flat OpenDocument sheet."""
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


SHEETS = {
    "退貨": [
        row(
            cell("客服知識庫", extra=' table:number-columns-spanned="6"'),
            *["<table:covered-table-cell/>"] * 5,
        ),
        row(*map(cell, ["編號", "標準問題", "相似問法", "標準答案", "失效日期", "備註"])),
        row(
            cell("R-1"),
            cell("幾天內可以退貨？"),
            cell("退貨期限多久|多少天內能退"),
            cell("收到商品後七天內。\n需保留完整包裝。"),
            cell("2026-12-31", "date", style="D"),
            cell("生鮮除外"),
        ),
        row(),
        row(
            cell("R-2"),
            cell("退貨運費誰出？"),
            cell(),
            cell("由買家負擔。"),
            cell(),
            cell(),
        ),
    ],
    "費率": [
        row(*map(cell, ["方案", "手續費", "月租", "加總"])),
        row(
            cell("基本"),
            cell("0.015", "percentage", style="C"),
            cell("300", "float"),
            cell("[.C2]*2", "formula"),
        ),
        row(
            cell("進階"),
            cell("0.01", "percentage", style="C"),
            cell("500", "float"),
            cell("[.C3]*2", "formula"),
        ),
    ],
    "草稿": [row(cell("問題"), cell("答案")), row(cell("不公開的問題？"), cell("不公開。"))],
}
SHEET_STYLES = """<office:automatic-styles>
 <number:date-style style:name="DF"><number:year number:style="long"/><number:text>年</number:text>
  <number:month/><number:text>月</number:text><number:day/><number:text>日</number:text>
 </number:date-style>
 <number:percentage-style style:name="PF"><number:number number:decimal-places="1"
  number:min-integer-digits="1"/><number:text>%</number:text></number:percentage-style>
 <style:style style:name="D" style:family="table-cell" style:data-style-name="DF"/>
 <style:style style:name="C" style:family="table-cell" style:data-style-name="PF"/>
 <style:style style:name="Hidden" style:family="table"><style:table-properties
  table:display="false"/></style:style>
</office:automatic-styles>"""


def flat_sheets():
    """Return a flat OpenDocument workbook, its last sheet hidden."""
    tables = "".join(
        f'<table:table table:name="{name}"'
        + (' table:style-name="Hidden"' if name == "草稿" else "")
        + f'><table:table-column table:number-columns-repeated="6"/>{"".join(rows)}</table:table>'
        for name, rows in SHEETS.items()
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document {NAMESPACES} '
        'office:version="1.2" office:mimetype="application/vnd.oasis.opendocument.spreadsheet">'
        f"{SHEET_STYLES}<office:body><office:spreadsheet>{tables}</office:spreadsheet>"
        "</office:body></office:document>"
    )


TEXTS = {
    "returns-hant": (
        HANT_FAQ, "晴天商店 客服手冊", f"第 {PAGE} 頁", "zh", ("docx", "pdf", "html"),
    ),
    "rules-hant": (HANT_RULES, "", "", "zh", ("docx", "pdf")),
    "statute-hans": (HANS_STATUTE, "内部资料", PAGE, "zh", ("docx", "pdf")),
    "expenses-en": (
        ENGLISH_POLICY, "Blue Ridge Ltd, Staff Handbook", f"Page {PAGE} of 2", "en",
        ("docx", "pdf", "html"),
    ),
}  # fmt: skip


LOCKED = (
    'pdf:writer_pdf_Export:{"EncryptFile":{"type":"boolean","value":"true"},'
    '"DocumentOpenPassword":{"type":"string","value":"secret"}}'
)


def convert(source: Path, ending: str) -> None:
    """Write a file's other form beside this script."""
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                "soffice", f"-env:UserInstallation=file://{profile}", "--headless",
                "--convert-to", ending, "--outdir", str(HERE), str(source),
            ],
            check=True,
            stdout=sys.stderr,
        )  # fmt: skip


def main() -> None:
    """Make every file."""
    with tempfile.TemporaryDirectory() as folder:
        for name, (blocks, header, footer, lang, endings) in TEXTS.items():
            source = Path(folder, f"{name}.fodt")
            source.write_text(flat_text(blocks, header, footer, lang), "utf-8")
            for ending in endings:
                convert(source, ending)
            if name == "expenses-en":
                source = source.rename(source.with_stem("locked"))
                convert(source, LOCKED)
        source = Path(folder, "questions.fods")
        source.write_text(flat_sheets(), "utf-8")
        convert(source, "xlsx")


if __name__ == "__main__":
    main()
