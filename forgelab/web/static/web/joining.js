// Waits for a machine to join, and goes to its page. Asks by little and often: a command is open for minutes only.

const box = document.getElementById("joining");
const AGAIN = 2000; // milliseconds

function tell({ state, sentence, url }) {
  if (state === "joined") return location.assign(url);
  if (state === "failed" || state === "expired") {
    document.getElementById("how")?.setAttribute("hidden", "");
    document.getElementById("outcome").hidden = true;
    const over = document.getElementById("over");
    over.querySelector("p").textContent = sentence;
    over.hidden = false;
    return box.querySelector(".actions .button:last-child").classList.remove("quiet");
  }
  const words = document.querySelector("#outcome span");
  if (words.textContent !== sentence) words.textContent = sentence;
  setTimeout(ask, AGAIN);
}

async function ask() {
  const answer = await fetch(box.dataset.status, { headers: { Accept: "application/json" } }).catch(() => null);
  if (answer?.ok && !answer.redirected) return tell(await answer.json());
  if (answer?.redirected) return location.assign(box.dataset.status); // the session ended: to the login, and back
  setTimeout(ask, AGAIN);
}

setTimeout(ask, AGAIN);
