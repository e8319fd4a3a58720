// Copying to the clipboard. Has no effect of its own when loaded.

/** On plain http the clipboard's own interface is missing, so there is another way. Returns whether it worked. */
async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch { /* refused: the other way may still work */ }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "hidden";
  area.readOnly = true;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

/** Copies, says so on the button for two seconds; where the browser refuses, the text is shown and selected. */
export async function copyFrom(button, element, text) {
  const done = await copyText(text);
  if (done) {
    button.focus();
  } else {
    element.textContent = text;
    getSelection().selectAllChildren(element);
  }
  button.textContent = done ? "Copied" : "Press Ctrl+C";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}
