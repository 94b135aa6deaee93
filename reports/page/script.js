// What a reader can do with a report: sort, choose, zoom, and leaf through jobs. Without it all stands there unsorted.
"use strict";

/** Order of two cells: numbers by value, text by letters, what is empty last whichever way. */
function compare(a, b, sign) {
  if (a === "" || a === null) return b === "" || b === null ? 0 : 1;
  if (b === "" || b === null) return -1;
  const [x, y] = [Number(String(a).replace("Inf", "Infinity")), Number(String(b).replace("Inf", "Infinity"))];
  if (!Number.isNaN(x) && !Number.isNaN(y)) return sign * (x < y ? -1 : x > y ? 1 : 0);
  return sign * String(a).localeCompare(String(b), "en");
}

/** Marks a heading as the one that is sorted by, and tells which way. */
function turn(heading) {
  const descending = heading.getAttribute("aria-sort") === "ascending";
  for (const other of heading.parentElement.children) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
  return descending ? -1 : 1;
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    heading.firstChild.addEventListener("click", () => {
      const sign = turn(heading);
      const body = table.tBodies[0];
      const keyOf = ({ cells }) => cells[column].dataset.value ?? cells[column].textContent;
      body.append(...[...body.rows].sort((a, b) => compare(keyOf(a), keyOf(b), sign)));
    });
  });
}

for (const choice of document.querySelectorAll(".choice")) {
  const select = choice.querySelector("select");
  const parts = [...choice.querySelectorAll(":scope > .chosen")];
  const show = () => parts.forEach((part, index) => part.hidden = index !== Number(select.value));
  select.addEventListener("change", show);
  show();
}

const mostZoom = 24;

for (const gallery of document.querySelectorAll(".gallery:not(.still)")) {
  let [zoom, x, y] = [1, 0, 0];
  const within = (value) => Math.min(0, Math.max(1 - zoom, value));
  const show = () => {
    [x, y] = [within(x), within(y)];
    gallery.classList.toggle("zoomed", zoom > 1);
    for (const [name, value] of Object.entries({ zoom, x, y })) gallery.style.setProperty(`--${name}`, value);
    out.disabled = reset.disabled = zoom === 1;
    into.disabled = zoom === mostZoom;
  };
  /** Zooms so that the point at (px, py), in shares of a picture's frame, stays where it is. */
  const zoomTo = (wanted, px = 0.5, py = 0.5) => {
    const next = Math.min(mostZoom, Math.max(1, wanted));
    [x, y] = [px - (px - x) * next / zoom, py - (py - y) * next / zoom];
    zoom = next;
    show();
  };
  const move = (dx, dy) => {
    [x, y] = [x + dx, y + dy];
    show();
  };
  const button = (label, name, act) => {
    const made = Object.assign(document.createElement("button"), { type: "button", textContent: label });
    made.setAttribute("aria-label", name);
    made.addEventListener("click", act);
    bars.append(made);
    return made;
  };
  const bars = gallery.querySelector(".bars");
  const into = button("+", "zoom in", () => zoomTo(zoom * 1.5));
  const out = button("−", "zoom out", () => zoomTo(zoom / 1.5));
  const reset = button("reset", "reset the zoom", () => zoomTo(1));
  show();

  const keys = {
    "+": () => zoomTo(zoom * 1.5),
    "=": () => zoomTo(zoom * 1.5),
    "-": () => zoomTo(zoom / 1.5),
    "0": () => zoomTo(1),
    ArrowLeft: () => move(0.1, 0),
    ArrowRight: () => move(-0.1, 0),
    ArrowUp: () => move(0, 0.1),
    ArrowDown: () => move(0, -0.1),
  };
  gallery.addEventListener("keydown", (event) => {
    if (event.target !== gallery || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!(event.key in keys) || (event.key.startsWith("Arrow") && zoom === 1)) return;
    event.preventDefault();
    keys[event.key]();
  });

  const placeOf = (event) => {
    const box = event.target.closest(".view")?.getBoundingClientRect();
    return box && [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, box];
  };
  gallery.addEventListener("wheel", (event) => {
    const place = placeOf(event);
    if (!place || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    zoomTo(zoom * Math.exp(-event.deltaY / 200), ...place);
  }, { passive: false });
  gallery.addEventListener("dblclick", (event) => {
    const place = placeOf(event);
    if (place) zoomTo(zoom < mostZoom ? zoom * 2 : 1, ...place);
  });
  let held;
  gallery.addEventListener("pointerdown", (event) => {
    if (zoom > 1 && placeOf(event)) held = [event.clientX, event.clientY];
  });
  gallery.addEventListener("pointermove", (event) => {
    const place = placeOf(event);
    gallery.classList.toggle("pointed", Boolean(place) && !held);
    if (!place) return;
    const [px, py, box] = place;
    gallery.style.setProperty("--px", px);
    gallery.style.setProperty("--py", py);
    if (!held) return;
    move((event.clientX - held[0]) / box.width, (event.clientY - held[1]) / box.height);
    held = [event.clientX, event.clientY];
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
    gallery.addEventListener(end, () => {
      held = undefined;
      if (end === "pointerleave") gallery.classList.remove("pointed");
    });
  }
}

const linesAPage = 50;

for (const jobs of document.querySelectorAll(".jobs")) {
  const { columns, lines } = JSON.parse(jobs.querySelector("script").textContent);
  const make = (name, text = "", parent = undefined) => {
    const made = document.createElement(name);
    made.textContent = text;
    parent?.append(made);
    return made;
  };
  let [found, page] = [lines, 0];
  const tools = make("div");
  tools.className = "tools";
  const label = make("label", "only lines with ", tools);
  const filter = make("input", "", label);
  filter.type = "search";
  const back = make("button", "back", tools);
  const on = make("button", "on", tools);
  const told = make("span", "", tools);
  told.setAttribute("role", "status");
  const scroll = make("div");
  scroll.className = "scroll";
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Jobs");
  const table = make("table", "", scroll);
  table.className = "sortable";
  const head = make("tr", "", make("thead", "", table));
  const body = make("tbody", "", table);
  const show = () => {
    const from = page * linesAPage;
    const shown = found.slice(from, from + linesAPage);
    body.replaceChildren(...shown.map((line) => {
      const row = make("tr");
      line.forEach((value, column) => {
        const cell = make(column === 0 ? "th" : "td", value === null ? "" : String(value), row);
        if (typeof value === "string" && value !== "Inf") cell.className = "text";
      });
      return row;
    }));
    told.textContent = found.length === 0
      ? "no such job"
      : `${from + 1} to ${from + shown.length} of ${found.length} jobs`;
    back.disabled = page === 0;
    on.disabled = from + linesAPage >= found.length;
  };
  columns.forEach((name, column) => {
    const heading = make("th", "", head);
    heading.scope = "col";
    const button = make("button", name, heading);
    button.type = "button";
    button.addEventListener("click", () => {
      const sign = turn(heading);
      lines.sort((a, b) => compare(a[column], b[column], sign));
      select();
    });
  });
  const select = () => {
    const wanted = filter.value.toLowerCase();
    found = wanted === "" ? lines : lines.filter((line) => line.join(" ").toLowerCase().includes(wanted));
    page = 0;
    show();
  };
  filter.addEventListener("input", select);
  back.addEventListener("click", () => {
    page -= 1;
    show();
  });
  on.addEventListener("click", () => {
    page += 1;
    show();
  });
  jobs.append(tools, scroll);
  show();
}

// On paper nothing can be opened.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
