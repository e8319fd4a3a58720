// "Show" and "Copy" beside a secret. The page does not hold the secrets: the first click fetches them.

import { copyFrom } from "./copy.js";

const COVERED = "••••••••••••";

for (const box of document.querySelectorAll("[data-credentials]")) {
  const values = [...box.querySelectorAll("[data-value]")];
  let fetched;

  async function secrets() {
    const form = box.querySelector("form");
    const response = await fetch(box.dataset.credentials, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new FormData(form),
    });
    if (!response.ok || response.redirected) throw new Error(String(response.status));
    return (await response.json()).values;
  }

  async function secret(element) {
    fetched ??= secrets();
    try {
      return (await fetched)[values.indexOf(element)];
    } catch {
      fetched = undefined;
      box.querySelector("[data-error]").textContent = "The credentials could not be fetched. Reload the page and log in again.";
      box.querySelector("[data-error]").className = "notice error";
      return null;
    }
  }

  for (const element of box.querySelectorAll("[data-secret]")) {
    const show = element.parentElement.querySelector("[data-show]");
    const copy = element.parentElement.querySelector("[data-copy]");
    show.addEventListener("click", async () => {
      const covered = show.textContent === "Show";
      const text = covered ? await secret(element) : COVERED;
      if (text === null) return;
      element.textContent = text;
      show.textContent = covered ? "Hide" : "Show";
    });
    copy.addEventListener("click", async () => {
      const text = await secret(element);
      if (text === null) return;
      await copyFrom(copy, element, text);
      if (element.textContent === text) show.textContent = "Hide";
    });
  }
}
