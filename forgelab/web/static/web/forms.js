// What every page's forms share: options that appear with the option they depend on, buttons that are pressed but once,
// and copying what stands beside a "Copy".

import { copyFrom } from "./copy.js";

function valueOf(form, name) {
  const input = form.elements[name];
  if (input?.type === "select-multiple") return [...input.selectedOptions].map((option) => option.value).join();
  return input?.type === "checkbox" ? input.checked : input?.value;
}

/** One of the wanted values; of servers and networks, true means that some are named and false that none are. */
function isWanted(value, wanted) {
  const truth = typeof value === "string" && wanted.some((one) => typeof one === "boolean");
  return wanted.includes(truth ? value.trim() !== "" : value);
}

/** An option applies when its own condition holds and those that it depends on apply. */
function applies(form, input) {
  const terms = Object.entries(JSON.parse(input?.dataset?.visibleIf ?? "{}"));
  return terms.every(([name, wanted]) => isWanted(valueOf(form, name), [wanted].flat()) && applies(form, form.elements[name]));
}

/** Hidden options are still sent, so that what was chosen before comes back with them. */
function showWhatApplies(form) {
  for (const input of form.querySelectorAll("[data-visible-if]")) {
    const field = input.closest(".field");
    field.hidden = !field.matches(".invalid") && !applies(form, input);
  }
  for (const group of form.querySelectorAll("details.group")) {
    group.hidden = !group.querySelector(".field:not([hidden])");
  }
}

for (const form of document.forms) {
  if (!form.querySelector("[data-visible-if]")) continue;
  form.addEventListener("input", () => showWhatApplies(form));
  showWhatApplies(form);
}

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
