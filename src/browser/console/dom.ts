// The page's elements by what index.html calls them. A name that is not there is a bug, and throws.

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  return found(document.getElementById(id) as T | null, `#${id}`);
}

export function within<T extends HTMLElement = HTMLElement>(parent: ParentNode, selector: string): T {
  return found(parent.querySelector<T>(selector), selector);
}

/** Writes `text` into every place that index.html marks with `data-slot="name"`. */
export function fill(name: string, text: string): void {
  const slots = document.querySelectorAll(`[data-slot="${name}"]`);
  if (slots.length === 0) throw new Error(`index.html has no data-slot="${name}"`);
  for (const slot of slots) slot.textContent = text;
}

/** Runs `handler` for each click on what is marked with `data-action="name"`. */
export function onAction(name: string, handler: () => void): void {
  for (const button of document.querySelectorAll(`[data-action="${name}"]`)) {
    button.addEventListener('click', handler);
  }
}

/** Says `text` to those who cannot see it appear. */
export function announce(text: string): void {
  byId('announcer').textContent = text;
}

export function element(tag: string, className: string, text = ''): HTMLElement {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  made.textContent = text;
  return made;
}

/** A definition list's rows, in place of those it had. */
export function fillFacts(
  list: HTMLElement,
  facts: readonly (readonly [string, string | HTMLElement])[],
): void {
  list.replaceChildren(
    ...facts.flatMap(([term, value]) => {
      const description = element('dd', '');
      description.append(value);
      return [element('dt', '', term), description];
    }),
  );
}

function found<T>(node: T | null, selector: string): T {
  if (node === null) throw new Error(`index.html has no ${selector}`);
  return node;
}
