// What a page of Streamlit cannot do by itself: keys, focus, the clipboard, the language of the
// document, what screen readers announce, links without loading the page again, recent questions.
// Texts of the corpus and of the reader are only ever set as text.

const RECENT = "policy-qa-recent";
const KEPT = 6;

let send = () => {};
let shown = null;
let began = false;
let latest = {};

export default function ({ data, setTriggerValue }) {
  send = setTriggerValue;
  document.documentElement.lang = data.language;
  document.documentElement.dataset.pqView = data.view;
  latest = data;
  if (!began) {
    began = true;
    document.addEventListener("click", follow);
    document.addEventListener("keydown", pressed);
    whenThere("input[type=search]", focusAtFirst);
    // The first page may come after its data.
    new MutationObserver(() => {
      if (document.querySelector(".pq-recent:not([data-drawn])")) drawRecent(latest);
    }).observe(document.body, { childList: true, subtree: true });
  }
  name("input[type=search]", data.placeholder);
  drawRecent(data);
  if (data.key === shown) return;
  shown = data.key;
  if (data.asked) remember(data.asked);
  announce(data.said);
  requestAnimationFrame(showQuote);
}

function follow(event) {
  if (event.defaultPrevented || event.button) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.('a[href^="?"]');
  if (link) {
    event.preventDefault();
    send("go", link.getAttribute("href"));
    return;
  }
  const button = event.target.closest?.("button[data-pq-do], button[data-pq-copy]");
  if (!button) return;
  if (button.dataset.pqCopy !== undefined) copy(button);
  else if (button.dataset.pqDo === "forget") forget();
  else send("act", [button.dataset.pqDo, button.dataset.pqValue]);
}

function pressed(event) {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable=true]");
  const slash = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
  const command = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
  if (event.isComposing || !(slash || command)) return;
  const box = document.querySelector("input[type=search]");
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
}

function focusAtFirst(box) {
  const reading = document.activeElement && document.activeElement !== document.body;
  // A touch keyboard would cover the page before anything was read.
  if (!reading && !matchMedia("(pointer: coarse)").matches) box.focus({ preventScroll: true });
}

function whenThere(selector, then) {
  const found = document.querySelector(selector);
  if (found) return then(found);
  const watch = new MutationObserver(() => {
    const later = document.querySelector(selector);
    if (!later) return;
    watch.disconnect();
    then(later);
  });
  watch.observe(document.body, { childList: true, subtree: true });
}

function name(selector, label) {
  const box = document.querySelector(selector);
  if (!box) return;
  box.setAttribute("aria-label", label);
  box.setAttribute("aria-keyshortcuts", "/ Control+K");
  box.setAttribute("enterkeyhint", "search");
}

function showQuote() {
  const box = document.querySelector(".pq-entry .pq-source");
  const mark = box?.querySelector("mark");
  if (!box) return;
  const top = box.getBoundingClientRect().top;
  const first = mark ?? box.querySelector(".pq-line strong");
  const above = first ? first.getBoundingClientRect().top - top : 0;
  box.scrollTop = first ? box.scrollTop + above - box.clientHeight / 4 : 0;
}

function announce(said) {
  let region = document.getElementById("pq-said");
  if (!region) {
    region = document.createElement("div");
    region.id = "pq-said";
    region.setAttribute("role", "status");
    region.setAttribute("aria-live", "polite");
    document.body.append(region);
  }
  region.textContent = said;
}

async function copy(button) {
  const text = button.dataset.pqCopy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyAsSelection(text); // pages that are not served over HTTPS have no clipboard
  }
  const label = button.textContent;
  if (label === button.dataset.pqDone) return;
  button.textContent = button.dataset.pqDone;
  announce(button.dataset.pqDone);
  setTimeout(() => { button.textContent = label; }, 2000);
}

function copyAsSelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

// Recent questions stay in this browser.
function recent() {
  try {
    const kept = JSON.parse(localStorage.getItem(RECENT));
    return Array.isArray(kept) ? kept.filter(query => typeof query === "string") : [];
  } catch {
    return [];
  }
}

function keep(queries) {
  try {
    localStorage.setItem(RECENT, JSON.stringify(queries));
  } catch {
    // a browser may forbid it
  }
}

function remember(query) {
  keep([query, ...recent().filter(other => other !== query)].slice(0, KEPT));
}

function forget() {
  keep([]);
  const place = document.querySelector(".pq-recent");
  if (place) place.hidden = true;
}

function drawRecent(data) {
  const place = document.querySelector(".pq-recent");
  const list = place?.querySelector("ul");
  if (!list) return;
  const queries = recent();
  place.dataset.drawn = "yes";
  place.hidden = !queries.length;
  list.replaceChildren(...queries.map(query => {
    const link = document.createElement("a");
    const parameters = new URLSearchParams({ q: query });
    if (data.chosen) parameters.set("lang", data.chosen);
    link.href = `?${parameters}`;
    link.className = "pq-row";
    const shown = document.createElement("bdi");
    shown.textContent = query;
    link.append(shown);
    const row = document.createElement("li");
    row.append(link);
    return row;
  }));
}
