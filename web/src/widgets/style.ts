// The look that all widgets share. A page changes it by custom properties, which go through the shadow boundary, and by ::part(). Whether it is
// dark follows the page's own color-scheme: a page that says nothing is light, and so is what is embedded in it.
export const base = `
:host {
  --_ink: var(--laurel-ink, light-dark(#1d2620, #e7ece6));
  --_soft: var(--laurel-soft, light-dark(#5a665e, #a0aca4));
  --_ground: var(--laurel-ground, light-dark(#fff, #191f22));
  --_line: var(--laurel-line, light-dark(#e2e4dc, #2b3337));
  --_accent: var(--laurel-accent, light-dark(#2a7348, #6fc48e));
  --_tint: var(--laurel-tint, light-dark(#eaf4ec, #1f3429));
  --_up: var(--laurel-up, light-dark(#1c7a3e, #6fd08f));
  --_down: var(--laurel-down, light-dark(#a8432f, #f0907a));
  --_warn: var(--laurel-warn, light-dark(#8a5a00, #e4b45c));
  display: block;
  box-sizing: border-box;
  overflow: hidden;
  color: var(--_ink);
  background: var(--_ground);
  border: 1px solid var(--_line);
  border-radius: var(--laurel-radius, .75rem);
  font: var(--laurel-font, 1rem/1.45 system-ui, sans-serif);
  font-variant-numeric: tabular-nums;
  text-align: start;
}
:host([hidden]), [hidden] { display: none !important; }
.sr { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.soft { color: var(--_soft); font-size: .875em; }
.up { color: var(--_up); } .down { color: var(--_down); }
.move { font-size: .75em; font-weight: 600; white-space: nowrap; }
.status { margin: 0; padding: .45em 1em; font-size: .8125em; color: var(--_warn); border-block-start: 1px solid var(--_line); }
.status::before { content: ""; display: inline-block; inline-size: .55em; block-size: .55em; margin-inline-end: .5em; border-radius: 50%; background: currentColor; }
.error { color: var(--_down); }
bdi { overflow-wrap: anywhere; }
@media (prefers-reduced-motion: no-preference) {
  [aria-busy=true] { animation: breathe 1.6s ease-in-out infinite; }
  @keyframes breathe { 50% { opacity: .55; } }
}
`;
