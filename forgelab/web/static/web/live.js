// Keeps a run's page up to date by server-sent events. The server renders; this puts it in place.

const page = document.getElementById("run");
const byId = (id) => document.getElementById(id);
const LOG_LINES = 5000; // kept on the page; the link below the log has all
const AGAIN = 3000; // milliseconds until a refused stream is asked for once more
let last = Number(page.dataset.after);
let source;

/** Only lines that differ are replaced, so that what turns goes on turning and nothing flickers. */
function showPanel(html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const now = [...byId("panel").querySelectorAll(".steps > li")];
  const next = [...fresh.content.querySelectorAll(".steps > li")];
  const bar = byId("panel").querySelector(".bar");
  const freshBar = fresh.content.querySelector(".bar");
  if (now.length !== next.length || !bar || !freshBar) return byId("panel").replaceChildren(fresh.content);
  next.forEach((line, n) => { if (line.outerHTML !== now[n].outerHTML) now[n].replaceWith(line); });
  const progress = bar.querySelector("progress");
  progress.value = freshBar.querySelector("progress").value;
  progress.className = freshBar.querySelector("progress").className;
  bar.querySelector("output").textContent = freshBar.querySelector("output").textContent;
  freshBar.remove();
  fresh.content.querySelector(".steps").remove();
  const steps = byId("panel").querySelector(".steps");
  while (steps.previousSibling) steps.previousSibling.remove();
  steps.before(fresh.content);
}

function showSnapshot({ html, announcement, title }) {
  showPanel(html);
  document.title = title;
  if (byId("announcement").textContent !== announcement) byId("announcement").textContent = announcement;
}

function showEvents({ html }) {
  const log = byId("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.insertAdjacentHTML("beforeend", html);
  while (log.childElementCount > LOG_LINES) {
    log.firstElementChild.nextSibling?.remove();
    log.firstElementChild.remove();
  }
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function ended({ status, retry }) {
  source.close();
  if (retry) location.replace(page.dataset.run.replace("00000000-0000-0000-0000-000000000000", retry));
  else if (status === "succeeded" && page.dataset.ready) location.assign(page.dataset.ready);
  else location.reload();
}

function on(name, handler) {
  source.addEventListener(name, (message) => {
    if (message.lastEventId) last = Number(message.lastEventId);
    handler(JSON.parse(message.data));
  });
}

function listen() {
  source = new EventSource(`${page.dataset.stream}?after=${last}`);
  on("snapshot", showSnapshot);
  on("events", showEvents);
  on("end", ended);
  source.addEventListener("open", () => { byId("connection").hidden = true; });
  source.addEventListener("error", () => {
    byId("connection").hidden = false;
    // Cut off, the browser comes back by itself; refused (a proxy's error page, a session that ended), it does not.
    if (source.readyState === EventSource.CLOSED) setTimeout(askAgain, AGAIN);
  });
}

async function askAgain() {
  const answer = await fetch(location.href, { redirect: "manual" }).catch(() => null);
  if (answer?.type === "opaqueredirect") location.reload(); // to the login, and back here
  else if (answer?.ok) listen();
  else setTimeout(askAgain, AGAIN);
}

listen();
