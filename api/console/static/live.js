// Live updates: fragments that changed come as events; lists are fetched anew by htmx.
// Both pause while the page is hidden, text is selected, a row is chosen or a question is open.
const EVERY = 3000;
let source;

function isBusy() {
  return document.hidden
    || document.querySelector("dialog[open], main details.confirm[open], main input:checked")
    || String(getSelection()) !== "";
}

export function refresh() {
  document.body.dispatchEvent(new CustomEvent("refresh"));
}

function show(fragments) {
  for (const [id, html] of Object.entries(fragments)) {
    const element = document.getElementById(id);
    // The server escapes all that callers sent. What has the focus is left alone.
    if (element && !element.contains(document.activeElement)) element.innerHTML = html;
  }
  document.body.classList.toggle("stale", document.querySelector("#banner [data-stale]") !== null);
}

function heard(event) {
  const { fragments, point } = JSON.parse(event.data);
  show(fragments);
  setLive(true);
  if (point) document.dispatchEvent(new CustomEvent("point", { detail: point }));
}

function setLive(isLive) {
  const mark = document.getElementById("live");
  mark.hidden = false;
  mark.textContent = isLive ? "live" : "not live: the server does not answer";
  mark.classList.toggle("bad", !isLive);
}

function connect() {
  source?.close();
  source = undefined;
  if (document.hidden) return;
  source = new EventSource("/console/events");
  source.onmessage = heard;
  source.onerror = () => {
    setLive(false);
    // A refusal, as of one page too many, ends the stream for good; lists are fetched all the same.
    if (source?.readyState === EventSource.CLOSED) setTimeout(connect, 10000);
  };
}

export function listen() {
  connect();
  document.addEventListener("visibilitychange", connect);
  setInterval(() => { if (!isBusy()) refresh(); }, EVERY);
}
