/** The tab's icon: how many sessions wait, else whether any works. */

export function favicon(waiting: number, working: number): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (!link) return;
  link.dataset.own ??= link.href;
  const [colour, label] = waiting > 0 ? ["#b35300", waiting > 9 ? "9+" : `${waiting}`] : ["#2563a8", ""];
  const drawn =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="${colour}"/>` +
    `<text x="16" y="23" font-family="sans-serif" font-size="20" font-weight="700" text-anchor="middle" fill="#fff">${label}</text>` +
    `${label ? "" : '<circle cx="16" cy="16" r="7" fill="#fff"/>'}</svg>`;
  link.href = waiting + working > 0 ? `data:image/svg+xml,${encodeURIComponent(drawn)}` : link.dataset.own;
}
