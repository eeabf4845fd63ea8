/**
 * Keeps the page as high as what is seen above an on-screen keyboard. Some browsers resize the page by themselves
 * (index.html asks for it), others only say how much of it is covered.
 */

export function keepInSight(): void {
  const seen = visualViewport;
  if (!seen) return;
  const fit = (): void => {
    if (seen.scale > 1.01) return; // zoomed: the person moves about in it
    const isCovered = seen.height < innerHeight - 1;
    const { style } = document.documentElement;
    if (isCovered) style.setProperty("--seen", `${Math.round(seen.height)}px`);
    else style.removeProperty("--seen");
    if (isCovered && (seen.offsetTop > 0 || scrollY > 0)) scrollTo(0, 0);
  };
  seen.addEventListener("resize", fit);
  seen.addEventListener("scroll", fit);
  fit();
}
