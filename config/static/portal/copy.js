// Buttons with data-copy put that text on the clipboard. Without https browsers offer none: the text is selected then.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const label = button.querySelector("[data-label]");
  const before = label.textContent;
  let done = button.dataset.copied;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    const range = document.createRange();
    range.selectNodeContents(button.previousElementSibling);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    if (!document.execCommand("copy")) done = button.dataset.selected;
  }
  label.textContent = done;
  setTimeout(() => { label.textContent = before; }, 2000);
});
