// The pickers of a template's form (coupons/admin/pickers.py): rows, tags and the list of shops. Everything they hold
// is in plain inputs, so that the form is posted as it stands. One listener for each kind of event, on the document.
"use strict";
{
  const changed = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));
  const fresh = (holder) => holder.querySelector("template").content.firstElementChild.cloneNode(true);

  // Rows of two inputs.
  const addRow = (rows, before) => {
    const row = fresh(rows);
    rows.insertBefore(row, before);
    row.querySelector("input").focus();
  };
  const removeRow = (rows, row) => {
    const all = [...rows.querySelectorAll(":scope > [data-row]")];
    const next = all[all.indexOf(row) + 1] || all[all.indexOf(row) - 1];
    row.remove();
    (next ? next.querySelector("[data-remove-row]") : rows.querySelector("[data-add-row]")).focus();
    changed(rows);
  };

  // Tags.
  const addTags = (tags, text) => {
    const input = tags.querySelector("[data-next-tag]");
    const separators = new RegExp("[" + tags.dataset.separators.replace(/[\]\\^-]/g, "\\$&") + "\\n]");
    const known = new Set([...tags.querySelectorAll("[data-tag] input")].map((one) => one.value));
    for (const entry of text.normalize("NFKC").split(separators).map((one) => one.trim())) {
      if (!entry || known.has(entry)) continue;
      known.add(entry);
      const tag = fresh(tags);
      tag.querySelector("[data-text]").textContent = entry;
      tag.querySelector("input").value = entry;
      const button = tag.querySelector("[data-remove-tag]");
      button.setAttribute("aria-label", `${button.getAttribute("aria-label").trim()} ${entry}`);
      tags.insertBefore(tag, tags.querySelector(":scope > template"));
    }
    input.value = "";
    changed(tags);
  };

  // Shops.
  const count = (shops) => {
    const chosen = shops.querySelectorAll("[data-list] input:checked").length;
    shops.querySelector("[data-chosen]").textContent = chosen;
    shops.querySelector("[data-no-shops]").hidden = !chosen;
  };
  const find = (shops) => {
    const wanted = shops.querySelector("[data-find-shop]").value.trim().toLowerCase();
    for (const shop of shops.querySelectorAll("[data-shop]")) {
      shop.hidden = !shop.textContent.toLowerCase().includes(wanted);
    }
  };
  const show = (shops, found) => {
    const list = shops.querySelector("[data-list]");
    list.replaceChildren(
      ...found.map(({ id, name }) => {
        const label = fresh(shops);
        label.querySelector("input").value = id;
        label.querySelector("span").textContent = name;
        label.querySelector("small").textContent = id;
        return label;
      }),
    );
    const search = shops.querySelector("[data-find-shop]");
    search.value = "";
    search.hidden = found.length < 8;
    count(shops);
    changed(shops);
  };
  let asked = 0;
  const fetchShops = async (shops, merchant) => {
    const mine = ++asked;
    const say = (name, on) => { shops.querySelector(`[data-${name}]`).hidden = !on; };
    say("no-merchant", !merchant);
    say("failed", false);
    say("none", false);
    if (!merchant) return show(shops, []);
    try {
      const answer = await fetch(`${shops.dataset.address}?merchant=${encodeURIComponent(merchant)}`);
      if (!answer.ok) throw new Error(answer.status);
      const found = (await answer.json()).shops;
      if (mine !== asked) return; // the merchant has changed again
      show(shops, found);
      say("none", !found.length);
    } catch {
      if (mine !== asked) return;
      show(shops, []);
      say("failed", true);
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if ("addRow" in button.dataset) addRow(button.closest("[data-portal-rows]"), button.previousElementSibling);
    if ("removeRow" in button.dataset) removeRow(button.closest("[data-portal-rows]"), button.closest("[data-row]"));
    if ("removeTag" in button.dataset) {
      const tags = button.closest("[data-portal-tags]");
      button.closest("[data-tag]").remove();
      tags.querySelector("[data-next-tag]").focus();
      changed(tags);
    }
    if ("noShops" in button.dataset) {
      const shops = button.closest("[data-portal-shops]");
      for (const box of shops.querySelectorAll("[data-list] input:checked")) box.checked = false;
      count(shops);
      shops.querySelector("[data-list] input")?.focus();
      changed(shops);
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // Enter ends a Chinese word, not the entry
    const input = event.target;
    if (input.matches?.("[data-find-shop]") && event.key === "Enter") event.preventDefault();
    if (!input.matches?.("[data-next-tag]")) return;
    const tags = input.closest("[data-portal-tags]");
    if (event.key === "Enter" || tags.dataset.separators.includes(event.key)) {
      event.preventDefault();
      addTags(tags, input.value);
    } else if (event.key === "Backspace" && !input.value) {
      [...tags.querySelectorAll("[data-tag]")].pop()?.remove();
      changed(tags);
    }
  });

  document.addEventListener("paste", (event) => {
    if (!event.target.matches?.("[data-next-tag]")) return;
    event.preventDefault();
    addTags(event.target.closest("[data-portal-tags]"), event.target.value + event.clipboardData.getData("text"));
  });

  document.addEventListener("focusout", (event) => {
    if (event.target.matches?.("[data-next-tag]") && event.target.value.trim()) {
      addTags(event.target.closest("[data-portal-tags]"), event.target.value);
    }
  });

  document.addEventListener("input", (event) => {
    const shops = event.target.closest?.("[data-portal-shops]");
    if (shops && event.target.matches("[data-find-shop]")) find(shops);
    else if (shops) count(shops);
  });

  document.addEventListener("DOMContentLoaded", () => {
    const merchant = document.querySelector("select[name=merchant]");
    const shops = document.querySelector("[data-portal-shops]");
    // Select2 tells jQuery alone.
    if (merchant && shops) django.jQuery(merchant).on("change", () => fetchShops(shops, merchant.value));
  });
}
