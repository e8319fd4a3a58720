// What every page's forms share: buttons that are pressed but once, and copying what stands beside a "Copy".

import { copyFrom } from "./copy.js";

// The button's text names the device that is chosen.
for (const button of document.querySelectorAll("[data-deploy]")) {
  const name = () => { button.textContent = `Deploy to ${button.form.elements.device.value}`; };
  button.form.addEventListener("change", name);
  addEventListener("pageshow", name);
  name();
}

for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => { // coming back, the form can be sent again
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const value = button.parentElement.querySelector("[data-value]");
  if (value.matches("[data-secret]")) continue; // credentials.js fetches those first
  button.addEventListener("click", () => copyFrom(button, value, value.textContent));
}
