"""Every label of the page that is not one of an answer, in the three languages."""

from collections.abc import Mapping
from dataclasses import dataclass

from policy_qa.labels import LABELS, Labels
from policy_qa.page.address import View
from policy_qa.storage import Action
from policy_qa.types import Language


@dataclass(frozen=True, slots=True)
class PageLabels:
    """Every label of the page in one language. `{…}` is filled in where the label is used.

    Attributes:
        answer: The labels of answers.
    """

    answer: Labels
    title: str
    views: Mapping[View, str]
    lead: str
    placeholder: str
    ask: str
    language: str
    loading: str
    searching: str
    slow: str
    examples: str
    recent: str
    forget: str
    size: str
    matched: str
    source: str
    pages: str
    rows: str
    page_number: str
    shown_entry: str
    back: str
    no_entry: str
    whole_card: str
    copy: str
    copied: str
    useful: str
    not_useful: str
    thanks: str
    report: str
    reported: str
    cut: str
    why: str
    hide: str
    why_rank: str
    why_first: str
    why_terms: str
    why_no_terms: str
    why_sentence: str
    why_question: str
    why_rule: str
    why_missing: str
    why_score: str
    why_confidence: str
    why_status: str
    parts: Mapping[str, str]
    signals: Mapping[str, str]
    starting: str
    corrected: str
    columns: Mapping[str, str]
    no_knowledge_base: str
    no_knowledge_base_note: str
    stale: str
    stale_note: str
    broken: str
    query_error: str
    query_error_note: str
    told: str
    file_error: str
    failed: str
    failed_note: str
    test_lead: str
    test_note: str
    test_paste: str
    test_upload: str
    test_choose: str
    test_limit: str
    test_refused: str
    test_run: str
    test_nothing: str
    test_judged: str
    test_unjudged: str
    test_none_judged: str
    test_statuses: str
    test_before: str
    test_first: str
    test_gained: str
    test_lost: str
    test_same: str
    test_misses: str
    test_no_misses: str
    test_all: str
    test_expected: str
    test_found: str
    test_not_found: str
    test_at_rank: str
    save: str
    saved: str
    save_all: str
    saved_all: str
    corpus_built: str
    history: str
    history_actions: Mapping[Action, str]
    history_entry: str
    history_documents: str
    history_gone: str
    history_back: str
    corpus_find: str
    corpus_none: str
    corpus_more: str
    changes: str
    changes_none: str
    changes_unknown: str
    changes_run: str
    added: str
    changed: str
    removed: str
    unreadable: str
    more: str
    lexicon_changed: str
    alternates_changed: str
    left_out: str
    expiring: str
    ends: str
    ended: str
    lint: str
    lint_none: str
    lint_run: str
    lint_wait: str
    gaps: str
    gaps_none: str
    gaps_off: str
    gaps_times: str
    gaps_download: str
    gaps_import: str
    log_note: str


PAGE_LABELS: Mapping[Language, PageLabels] = {
    "zh-Hant": PageLabels(
        answer=LABELS["zh-Hant"],
        title="政策問答",
        views={"ask": "查詢", "test": "測試", "corpus": "知識庫"},
        lead="用一句話問，答案逐字引自原文。",
        placeholder="輸入問題，按 Enter",
        ask="查詢",
        language="介面語言",
        loading="正在載入知識庫…",
        searching="正在查詢…",
        slow="比平常久，還在進行。",
        examples="可以這樣問",
        recent="最近問過",
        forget="清除",
        size="{entries} 則條目，{documents} 份文件",
        matched="對應的條目",
        source="原文",
        pages="{document} 第 {first}–{last} 頁",
        rows="{document} {sheet}第 {first}–{last} 列",
        page_number="{number} 頁",
        shown_entry="您打開的是另一則條目。",
        back="回到對應的條目",
        no_entry="知識庫裡沒有這則條目：{entry}",
        whole_card="這則條目的全部要點",
        copy="複製並附出處",
        copied="已複製",
        useful="有用",
        not_useful="沒用",
        thanks="謝謝，已記下。",
        report="回報：應該涵蓋這個問題",
        reported="已回報，謝謝。",
        cut="（這裡只顯示引文附近的原文）",
        why="為什麼是這一則",
        hide="收起",
        why_rank="排第 {rank}，比第一則低 {score}。",
        why_first="排第一，比下一則高 {score}。",
        why_terms="問題裡的這些詞，條目裡也有",
        why_no_terms="條目裡沒有和問題相同的詞，是按意思找到的。",
        why_sentence="最接近問題的一句",
        why_question="最接近問題的是條目的標題",
        why_rule="「{word}」也叫「{term}」（{source}）",
        why_missing="條目裡沒有提到",
        why_score="排序分數怎麼來的",
        why_confidence="把握怎麼來的",
        why_status="達 {answered}% 算已有答案，達 {related}% 算有相關內容。",
        parts={
            "meaning": "意思相近",
            "words": "這一句的用詞",
            "entry_words": "整則條目的用詞",
            "translation": "這一句的譯詞與同義詞",
            "entry_translation": "整則條目的譯詞與同義詞",
            "agreement": "問的是不是同一方",
            "twins": "肯定與否定的對調",
            "order": "不越過前面的條目",
            "reranker": "重新排序",
        },
        signals={
            "lift": "比不相干的問題像多少",
            "share": "比其他條目突出多少",
            "translated": "譯詞相符多少",
        },
        starting="起點",
        corrected="按這個知識庫校正",
        columns={
            "part": "項目",
            "value": "數值",
            "weight": "權重",
            "contribution": "貢獻",
        },
        no_knowledge_base="還沒有知識庫",
        no_knowledge_base_note="請先執行下面的命令建立知識庫，再重新整理這一頁。",
        stale="原文改過了",
        stale_note="原文比知識庫新，答案仍按舊的原文。更新請執行：",
        broken="知識庫無法使用",
        query_error="這個問題無法查詢",
        query_error_note="請用文字提問，最多 {limit} 字。",
        told="程式的訊息：",
        file_error="這些問題無法讀取",
        failed="出了點問題",
        failed_note="這次沒有查到結果，詳情已寫入伺服器的記錄。",
        test_lead="一次測試許多問題：看哪些找得到正確的條目，哪些找不到。",
        test_note=(
            "每行一個問題；也可以是兩欄的表格：問題、條目的編號或標題。"
            "檔案可以是 CSV、TSV、XLSX 或 TXT。"
        ),
        test_paste="貼上問題",
        test_upload="或上傳檔案",
        test_choose="選擇檔案",
        test_limit="最大 {size} MB：{kinds}",
        test_refused="不能上傳：檔案太大，或不是這幾種。",
        test_run="測試",
        test_nothing="請先貼上問題，或上傳檔案。",
        test_judged="{count} 個問題有標準條目",
        test_unjudged="另有 {count} 個只看結果",
        test_none_judged="這些問題沒有標準條目，只看結果。",
        test_statuses="已有答案 {answered}，有相關內容 {related}，沒有涵蓋 {not_covered}",
        test_before="與上次（{day}）相同的 {count} 個問題：hit@1 從 {before} 到 {after}",
        test_first="這是第一次測試；下一次會與這次比較。",
        test_gained="找回來了",
        test_lost="退步了",
        test_same="沒有問題因此變好或變差。",
        test_misses="沒有排在第一的",
        test_no_misses="每個問題的標準條目都排在第一。",
        test_all="全部問題",
        test_expected="應為",
        test_found="第一則",
        test_not_found="前 10 則都不是",
        test_at_rank="排第 {rank}",
        save="存為評測題",
        saved="已存入 {folder}",
        save_all="把有標準條目的都存為評測題",
        saved_all="{count} 題已存入 {folder}",
        corpus_built="建立於 {created}，第 {generation} 代",
        history="歷次更新",
        history_actions={
            "build": "建立",
            "sync": "同步",
            "publish": "發布",
            "rollback": "還原",
            "import": "匯入",
            "repair": "修復",
            "reindex": "更換索引",
            "move": "搬移索引",
        },
        history_entry="第 {generation} 代，{created}",
        history_documents="{entries} 則條目；文件新增 {added}，修改 {changed}，刪除 {removed}",
        history_gone="已不在磁碟上",
        history_back="要回到較早的一代：",
        corpus_find="在條目裡尋找",
        corpus_none="沒有符合的條目。",
        corpus_more="還有 {count} 則，請輸入更多字來縮小範圍。",
        changes="建立之後改了什麼",
        changes_none="原文與知識庫一致。",
        changes_unknown="找不到原文「{corpus}」，無法比較。",
        changes_run="更新請執行：",
        added="新增",
        changed="修改",
        removed="刪除",
        unreadable="無法讀取",
        more="還有 {count} 項。",
        lexicon_changed="詞表改過了",
        alternates_changed="其他問法的表改過了",
        left_out="沒有收入的檔案",
        expiring="快到期或已到期",
        ends="到 {day} 為止，還有 {days} 天",
        ended="已於 {day} 到期",
        lint="檢查",
        lint_none="沒有發現問題。",
        lint_run="檢查重複、矛盾與過期",
        lint_wait="正在檢查…",
        gaps="沒有涵蓋的問題",
        gaps_none="還沒有這樣的問題。",
        gaps_off="沒有記錄問題（POLICY_QA_LOG=off）。",
        gaps_times="{times} 次",
        gaps_download="下載 CSV",
        gaps_import="填好答案的表可以收進原文：",
        log_note="記錄只有日期、問題與結果；不記是誰問的，電話、編號與信箱都隱去。",
    ),
    "zh-Hans": PageLabels(
        answer=LABELS["zh-Hans"],
        title="政策问答",
        views={"ask": "查询", "test": "测试", "corpus": "知识库"},
        lead="用一句话问，答案逐字引自原文。",
        placeholder="输入问题，按 Enter",
        ask="查询",
        language="界面语言",
        loading="正在载入知识库…",
        searching="正在查询…",
        slow="比平常久，还在进行。",
        examples="可以这样问",
        recent="最近问过",
        forget="清除",
        size="{entries} 则条目，{documents} 份文件",
        matched="对应的条目",
        source="原文",
        pages="{document} 第 {first}–{last} 页",
        rows="{document} {sheet}第 {first}–{last} 行",
        page_number="{number} 页",
        shown_entry="您打开的是另一则条目。",
        back="回到对应的条目",
        no_entry="知识库里没有这则条目：{entry}",
        whole_card="这则条目的全部要点",
        copy="复制并附出处",
        copied="已复制",
        useful="有用",
        not_useful="没用",
        thanks="谢谢，已记下。",
        report="反馈：应该涵盖这个问题",
        reported="已反馈，谢谢。",
        cut="（这里只显示引文附近的原文）",
        why="为什么是这一则",
        hide="收起",
        why_rank="排第 {rank}，比第一则低 {score}。",
        why_first="排第一，比下一则高 {score}。",
        why_terms="问题里的这些词，条目里也有",
        why_no_terms="条目里没有和问题相同的词，是按意思找到的。",
        why_sentence="最接近问题的一句",
        why_question="最接近问题的是条目的标题",
        why_rule="“{word}”也叫“{term}”（{source}）",
        why_missing="条目里没有提到",
        why_score="排序分数怎么来的",
        why_confidence="把握怎么来的",
        why_status="达 {answered}% 算已有答案，达 {related}% 算有相关内容。",
        parts={
            "meaning": "意思相近",
            "words": "这一句的用词",
            "entry_words": "整则条目的用词",
            "translation": "这一句的译词与同义词",
            "entry_translation": "整则条目的译词与同义词",
            "agreement": "问的是不是同一方",
            "twins": "肯定与否定的对调",
            "order": "不越过前面的条目",
            "reranker": "重新排序",
        },
        signals={
            "lift": "比不相干的问题像多少",
            "share": "比其他条目突出多少",
            "translated": "译词相符多少",
        },
        starting="起点",
        corrected="按这个知识库校正",
        columns={
            "part": "项目",
            "value": "数值",
            "weight": "权重",
            "contribution": "贡献",
        },
        no_knowledge_base="还没有知识库",
        no_knowledge_base_note="请先运行下面的命令建立知识库，再刷新这一页。",
        stale="原文改过了",
        stale_note="原文比知识库新，答案仍按旧的原文。更新请运行：",
        broken="知识库无法使用",
        query_error="这个问题无法查询",
        query_error_note="请用文字提问，最多 {limit} 字。",
        told="程序的信息：",
        file_error="这些问题无法读取",
        failed="出了点问题",
        failed_note="这次没有查到结果，详情已写入服务器的日志。",
        test_lead="一次测试许多问题：看哪些找得到正确的条目，哪些找不到。",
        test_note=(
            "每行一个问题；也可以是两列的表格：问题、条目的编号或标题。"
            "文件可以是 CSV、TSV、XLSX 或 TXT。"
        ),
        test_paste="粘贴问题",
        test_upload="或上传文件",
        test_choose="选择文件",
        test_limit="最大 {size} MB：{kinds}",
        test_refused="不能上传：文件太大，或不是这几种。",
        test_run="测试",
        test_nothing="请先粘贴问题，或上传文件。",
        test_judged="{count} 个问题有标准条目",
        test_unjudged="另有 {count} 个只看结果",
        test_none_judged="这些问题没有标准条目，只看结果。",
        test_statuses="已有答案 {answered}，有相关内容 {related}，没有涵盖 {not_covered}",
        test_before="与上次（{day}）相同的 {count} 个问题：hit@1 从 {before} 到 {after}",
        test_first="这是第一次测试；下一次会与这次比较。",
        test_gained="找回来了",
        test_lost="退步了",
        test_same="没有问题因此变好或变差。",
        test_misses="没有排在第一的",
        test_no_misses="每个问题的标准条目都排在第一。",
        test_all="全部问题",
        test_expected="应为",
        test_found="第一则",
        test_not_found="前 10 则都不是",
        test_at_rank="排第 {rank}",
        save="存为评测题",
        saved="已存入 {folder}",
        save_all="把有标准条目的都存为评测题",
        saved_all="{count} 题已存入 {folder}",
        corpus_built="建立于 {created}，第 {generation} 代",
        history="历次更新",
        history_actions={
            "build": "建立",
            "sync": "同步",
            "publish": "发布",
            "rollback": "还原",
            "import": "导入",
            "repair": "修复",
            "reindex": "更换索引",
            "move": "搬移索引",
        },
        history_entry="第 {generation} 代，{created}",
        history_documents="{entries} 则条目；文件新增 {added}，修改 {changed}，删除 {removed}",
        history_gone="已不在磁盘上",
        history_back="要回到较早的一代：",
        corpus_find="在条目里查找",
        corpus_none="没有符合的条目。",
        corpus_more="还有 {count} 则，请输入更多字来缩小范围。",
        changes="建立之后改了什么",
        changes_none="原文与知识库一致。",
        changes_unknown="找不到原文“{corpus}”，无法比较。",
        changes_run="更新请运行：",
        added="新增",
        changed="修改",
        removed="删除",
        unreadable="无法读取",
        more="还有 {count} 项。",
        lexicon_changed="词表改过了",
        alternates_changed="其他问法的表改过了",
        left_out="没有收入的文件",
        expiring="快到期或已到期",
        ends="到 {day} 为止，还有 {days} 天",
        ended="已于 {day} 到期",
        lint="检查",
        lint_none="没有发现问题。",
        lint_run="检查重复、矛盾与过期",
        lint_wait="正在检查…",
        gaps="没有涵盖的问题",
        gaps_none="还没有这样的问题。",
        gaps_off="没有记录问题（POLICY_QA_LOG=off）。",
        gaps_times="{times} 次",
        gaps_download="下载 CSV",
        gaps_import="填好答案的表可以收进原文：",
        log_note="记录只有日期、问题与结果；不记是谁问的，电话、编号与邮箱都隐去。",
    ),
    "en": PageLabels(
        answer=LABELS["en"],
        title="Policy Q&A",
        views={"ask": "Ask", "test": "Test", "corpus": "Knowledge base"},
        lead="Ask in one sentence; the answer quotes the source word for word.",
        placeholder="Type a question and press Enter",
        ask="Ask",
        language="Language of the page",
        loading="Loading the knowledge base…",
        searching="Searching…",
        slow="It takes longer than usual, and goes on.",
        examples="Questions to start with",
        recent="Asked before",
        forget="Clear",
        size="Entries: {entries}, documents: {documents}",
        matched="Matched entry",
        source="Source",
        pages="{document}, pages {first}–{last}",
        rows="{document}, {sheet}rows {first}–{last}",
        page_number="p. {number}",
        shown_entry="You opened another entry.",
        back="Back to the matched entry",
        no_entry="The knowledge base has no such entry: {entry}",
        whole_card="All points of this entry",
        copy="Copy with source",
        copied="Copied",
        useful="Useful",
        not_useful="Not useful",
        thanks="Noted, thank you.",
        report="Report: this should be covered",
        reported="Reported, thank you.",
        cut="(Only the text near the quote is shown.)",
        why="Why this entry",
        hide="Hide",
        why_rank="Rank {rank}, {score} below the first.",
        why_first="First, {score} ahead of the next.",
        why_terms="Words of the question that the entry has",
        why_no_terms="The entry shares no word with the question; it was found by its meaning.",
        why_sentence="The sentence nearest to the question",
        why_question="Nearest to the question is the entry's heading",
        why_rule="“{word}” is also called “{term}” ({source})",
        why_missing="Not mentioned in the entry",
        why_score="What its rank was made of",
        why_confidence="What confidence was made of",
        why_status="From {answered}% it is called answered, from {related}% related.",
        parts={
            "meaning": "Near in meaning",
            "words": "Words of the sentence",
            "entry_words": "Words of the whole entry",
            "translation": "Translations and synonyms in the sentence",
            "entry_translation": "Translations and synonyms in the entry",
            "agreement": "Whether it is about the same party",
            "twins": "Changed places with its opposite",
            "order": "Kept below entries before it",
            "reranker": "Put in a new order",
        },
        signals={
            "lift": "How much nearer than unrelated questions come",
            "share": "How far it stands out from other entries",
            "translated": "How many words match in translation",
        },
        starting="Starting point",
        corrected="Corrected for this knowledge base",
        columns={
            "part": "Part",
            "value": "Value",
            "weight": "Weight",
            "contribution": "Adds",
        },
        no_knowledge_base="No knowledge base yet",
        no_knowledge_base_note="Build one with this command, then reload the page.",
        stale="The source has changed",
        stale_note="It is newer than the knowledge base, which answers from the old. Update it:",
        broken="The knowledge base cannot be used",
        query_error="This question cannot be searched",
        query_error_note="Ask in words, in at most {limit} characters.",
        told="The program says:",
        file_error="These questions cannot be read",
        failed="Something went wrong",
        failed_note="There is no result this time; the server's log has the details.",
        test_lead="Test many questions at once: which find the right entry, and which do not.",
        test_note=(
            "One question a line, or a table of two columns: the question, and the entry's id or "
            "heading. A file may be CSV, TSV, XLSX or TXT."
        ),
        test_paste="Paste questions",
        test_upload="or upload a file",
        test_choose="Choose a file",
        test_limit="At most {size} MB: {kinds}",
        test_refused="Refused: too large, or of another kind.",
        test_run="Test",
        test_nothing="Paste questions or upload a file first.",
        test_judged="Questions with an expected entry: {count}",
        test_unjudged="only looked at: {count}",
        test_none_judged="No question has an expected entry, so they are only looked at.",
        test_statuses="answered {answered}, related {related}, not covered {not_covered}",
        test_before="Same questions as last time ({day}): {count}; hit@1 from {before} to {after}",
        test_first="This is the first test; the next one is compared with it.",
        test_gained="Now right",
        test_lost="Now wrong",
        test_same="No question got better or worse.",
        test_misses="Not ranked first",
        test_no_misses="Every expected entry is ranked first.",
        test_all="All questions",
        test_expected="Expected",
        test_found="First",
        test_not_found="not among the first 10",
        test_at_rank="rank {rank}",
        save="Save as a test case",
        saved="Saved in {folder}",
        save_all="Save all that have an expected entry",
        saved_all="Saved in {folder}: {count}",
        corpus_built="Built {created}, generation {generation}",
        history="History",
        history_actions={
            "build": "Built",
            "sync": "Synchronised",
            "publish": "Published",
            "rollback": "Rolled back",
            "import": "Imported",
            "repair": "Repaired",
            "reindex": "Index changed",
            "move": "Indexes moved",
        },
        history_entry="Generation {generation}, {created}",
        history_documents=(
            "entries: {entries}; documents added: {added}, changed: {changed}, removed: {removed}"
        ),
        history_gone="not on disk any more",
        history_back="To go back to an earlier one:",
        corpus_find="Find in the entries",
        corpus_none="No entry matches.",
        corpus_more="And {count} more; type more to narrow them down.",
        changes="Changed since it was built",
        changes_none="The source and the knowledge base agree.",
        changes_unknown="The source, “{corpus}”, is not found here, so nothing can be compared.",
        changes_run="Update it:",
        added="Added",
        changed="Changed",
        removed="Removed",
        unreadable="Cannot be read",
        more="And {count} more.",
        lexicon_changed="The lexicon has changed",
        alternates_changed="The table of other wordings has changed",
        left_out="Files that were left out",
        expiring="Ends soon, or has ended",
        ends="until {day}, days left: {days}",
        ended="ended on {day}",
        lint="Checks",
        lint_none="Nothing was found.",
        lint_run="Check for duplicates, contradictions and old dates",
        lint_wait="Checking…",
        gaps="Questions that were not covered",
        gaps_none="There are none yet.",
        gaps_off="Questions are not logged (POLICY_QA_LOG=off).",
        gaps_times="times asked: {times}",
        gaps_download="Download as CSV",
        gaps_import="A table with answers filled in is taken into the source by:",
        log_note=(
            "The log holds the day, the question and the result; not who asked, and no telephone "
            "number, id or address of e-mail."
        ),
    ),
}
