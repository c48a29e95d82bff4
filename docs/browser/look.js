// What is wrong with the page that is open, as one sees it; its links; and its anchors.
(isWide) => {
  const faults = [];
  const width = document.documentElement.clientWidth;
  const name = (element) =>
    `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> ` +
    JSON.stringify((element.textContent ?? "").trim().slice(0, 60));
  const shows = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });

  // Code, tables and formulas may be wider than the page, as they are scrolled in boxes that are not.
  const mayScroll = "pre, .pst-scrollable-table-container, div.formula";
  const tooWide = new Set();
  for (const element of document.body.querySelectorAll("*")) {
    const parent = element.parentElement;
    if (parent.closest(`svg, .visually-hidden, .skip-link, ${mayScroll}`)) continue;
    const box = element.getBoundingClientRect();
    if (box.width && shows(element) && (box.right > width + 1 || box.left < -1)) {
      if (!tooWide.has(parent)) faults.push(`wider than the page: ${name(element)}`);
      tooWide.add(element);
    }
  }
  if (document.documentElement.scrollWidth > width) faults.push("the page scrolls sideways");

  const links = (selector) => [...document.querySelectorAll(`${selector} a[href]`)].filter(shows);
  if (isWide) {
    if (!links(".bd-sidebar-primary").length) faults.push("the left sidebar is empty");
    const contents = document.querySelector(".bd-sidebar-secondary");
    if (contents && shows(contents) && !links(".bd-sidebar-secondary").length) {
      faults.push("the right sidebar is empty");
    }
    const middles = [...document.querySelectorAll(".bd-header .nav-link, .bd-header .search-button__wrapper, .bd-header .search-button-field")]
      .filter(shows)
      .map((element) => element.getBoundingClientRect())
      .map((box) => (box.top + box.bottom) / 2);
    if (Math.max(...middles) - Math.min(...middles) > 12) faults.push("the header has several lines");
  } else if (![...document.querySelectorAll(".primary-toggle")].some(shows)) {
    faults.push("no button opens the sidebar");
  }

  for (const image of document.images) {
    if (image.complete && !image.naturalWidth) faults.push(`a picture is missing: ${image.src}`);
    if (!image.hasAttribute("alt")) faults.push(`a picture has no alternative text: ${image.src}`);
  }
  for (const block of document.querySelectorAll(".bd-article div.highlight-python > .highlight")) {
    if (!block.querySelector("button.copybtn")) faults.push(`no copy button: ${name(block)}`);
  }
  return {
    faults,
    links: [...document.querySelectorAll("a[href]")].map((link) => link.href),
    anchors: [...document.querySelectorAll("[id]")].map((element) => element.id),
  };
};
