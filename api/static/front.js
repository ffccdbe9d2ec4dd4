// Shows how the stack is, and looks again every few seconds while somebody sees the page.
const EVERY = 5000;
const WAITS = {
  no_worker: "not ready: no worker lives",
  model_loading: "not ready: workers load their first models",
  paused: "ready, but a version is paused",
  capacity: "ready; others wait in front",
};
const part = (id) => document.getElementById(id);

async function ask(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  return answer.json();
}

function made(name, ...content) {
  const element = document.createElement(name);
  element.append(...content);
  return element;
}

function showState(ready) {
  const state = part("state");
  const otherwise = ready.redis ? WAITS[ready.waiting_for] : "not ready: Redis does not answer";
  state.textContent = otherwise ?? "ready";
  state.className = ready.ready ? "good" : "bad";
}

function showFigures(stats) {
  const settled = stats.predictions.reduce((sum, one) => sum + one.succeeded + one.failed, 0);
  const waiting = Object.values(stats.queues).reduce((sum, depth) => sum + depth, 0);
  const figures = {
    predictions: settled.toLocaleString("en"),
    waiting: waiting.toLocaleString("en"),
    workers: stats.workers.length,
    paused: stats.paused.map((version) => version.model).join(", ") || "none",
    "dead letters": stats.dead_letters.toLocaleString("en"),
  };
  const rows = Object.entries(figures).flatMap(([name, value]) => [made("dt", name), made("dd", `${value}`)]);
  part("figures").replaceChildren(...rows);
  part("figures").hidden = false;
}

function line(model) {
  const link = made("a", model.name);
  link.href = `/models/${encodeURIComponent(model.name)}`;
  const aliases = Object.entries(model.aliases).map(([alias, version]) => `${alias}=${version}`);
  return made("li", link, " ", `latest ${model.latest}`, aliases.length ? `, ${aliases.join(", ")}` : "");
}

function showModels({ models }) {
  const [list] = part("models").getElementsByTagName("ul");
  list.replaceChildren(...models.map(line));
  part("models").hidden = models.length === 0;
}

function silence() {
  part("state").textContent = "it does not answer";
  part("state").className = "bad";
}

async function look() {
  if (document.hidden) return;
  await ask("/ready").then(showState, silence);
  // Without Redis there are no figures; what is registered is known all the same.
  await ask("/stats").then(showFigures).catch(() => { part("figures").hidden = true; });
  await ask("/models").then(showModels).catch(() => {});
}

look();
setInterval(look, EVERY);
document.addEventListener("visibilitychange", look);
