type Attributes = Record<string, string | boolean | undefined>;

/** An element with attributes and content; `false` and undefined leave an attribute out. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...content: (string | Node)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : value);
  made.append(...content);
  return made;
}

const PATHS = {
  plus: 'M10 4v12M4 10h12',
  up: 'M10 16V4M5 9l5-5 5 5',
  down: 'M10 4v12M5 11l5 5 5-5',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  remove: 'M4 6h12M8 6V4h4v2M6 6l.7 10.500h6.600L14 6',
  undo: 'M8 4 4 8l4 4M4 8h7.500a4.500 4.500 0 0 1 0 9H8',
  redo: 'm12 4 4 4-4 4M16 8H8.500a4.500 4.500 0 0 0 0 9H12',
  link: 'M8.500 11.500a3 3 0 0 0 4.300 0l2.700-2.700a3 3 0 0 0-4.300-4.300l-.9.9M11.500 8.500a3 3 0 0 0-4.300 0l-2.700 2.700a3 3 0 0 0 4.300 4.300l.9-.9',
  keys: 'M2.500 5.500h15v9h-15zM5.500 8.500h.1M8.500 8.500h.1M11.500 8.500h.1M14.500 8.500h.1M7 11.500h6',
  variable: 'M7 4C4 4 6 10 3.500 10 6 10 4 16 7 16M13 4c3 0 1 6 3.500 6-2.500 0-.5 6-3.500 6',
  drag: 'M7.500 5v.1M12.500 5v.1M7.500 10v.1M12.500 10v.1M7.500 15v.1M12.500 15v.1',
  close: 'm5 5 10 10M15 5 5 15',
  paragraph: 'M3 5h14M3 10h14M3 15h9',
  heading: 'M5 4v12M15 4v12M5 10h10',
  bullet_list: 'M4 5.500h.1M4 10h.1M4 14.500h.1M8 5.500h9M8 10h9M8 14.500h9',
  ordered_list: 'M3.500 4.500 4.500 4v4M3 12.500h2l-2 3h2M8 5.500h9M8 10h9M8 14.500h9',
  blockquote: 'M4 5v10M8 6h9M8 10h9M8 14h6',
  picture: 'M3 4h14v12H3zM3 13.500l4-4 4 4 2.500-2.500 3.500 3.500M13 7.500h.1',
  button: 'M3 6.500h14v7H3zM7 10h6',
  divider: 'M3 10h14',
  spacer: 'M5 4h10M5 16h10M10 7v6M8 9l2-2 2 2M8 11l2 2 2-2',
  columns: 'M3 4h6v12H3zM11 4h6v12h-6z',
  social:
    'M6.500 10a2 2 0 1 1-4 0 2 2 0 0 1 4 0ZM17 5a2 2 0 1 1-4 0 2 2 0 0 1 4 0ZM17 15a2 2 0 1 1-4 0 2 2 0 0 1 4 0ZM6.300 9l6.900-3.200M6.300 11l6.900 3.200',
  footer: 'M3 12.500h14M3 16h9',
} as const;

export type IconName = keyof typeof PATHS;
const SVG = 'http://www.w3.org/2000/svg';

export function icon(name: IconName): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  const look = { d: PATHS[name], fill: 'none', stroke: 'currentColor', 'stroke-width': '1.6' };
  for (const [key, value] of Object.entries({ ...look, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' }))
    path.setAttribute(key, value);
  svg.append(path);
  return svg;
}
