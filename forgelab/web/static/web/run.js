// A run's page is kept up to date by htmx's sse extension. What that leaves open: where a stream that was refused goes on
// (a new EventSource has no Last-Event-ID), and what the page says and does meanwhile.

const run = document.getElementById("run");
const lost = document.getElementById("connection");
const log = document.getElementById("log");
const LOG_LINES = 5000; // kept on the page; the link below the log has all
let last = run.dataset.after;

htmx.createEventSource = (url) => new EventSource(`${url}?after=${last}`);

run.addEventListener("htmx:sseMessage", ({ detail }) => {
  last = detail.lastEventId || last;
  while (log.childElementCount > LOG_LINES) log.firstElementChild.remove();
});
run.addEventListener("htmx:sseOpen", () => { lost.hidden = true; });
run.addEventListener("htmx:sseError", ({ detail }) => {
  lost.hidden = false;
  // Refused (a proxy's error page, a session that ended): the next page's address leads to the login where need be.
  if (detail.source.readyState === EventSource.CLOSED) htmx.trigger("#run-next", "refused");
});
