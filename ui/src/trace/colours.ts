/**
 * Which colour slot a service has. The colours themselves are CSS tokens (`--service-0` and on); here are only numbers.
 *
 * A slot follows from the name, so a service looks the same in every trace and for every reader. Two services of one
 * installation that fall on the same slot are parted by moving one of them to the next free slot; who moves depends on the
 * set of names alone and not on the order in which they were met.
 */

/** As many as `tokens.css` defines; a test compares. */
export const SERVICE_SLOTS = 24;

/** FNV-1a with a final mix, so that `shop-1` and `shop-2` do not sit side by side. */
function hash(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The slot that `name` has when no other service claims it. */
export function preferredSlot(name: string): number {
  return hash(name) % SERVICE_SLOTS;
}

export type SlotOf = (service: string) => number;

/** Slots for a set of services; a name that is not in the set gets its preferred slot. */
export function assignSlots(services: Iterable<string>): SlotOf {
  const slots = new Map<string, number>();
  const taken = new Set<number>();
  // Services that keep their preferred slot are seated before any that must move.
  const movers: string[] = [];
  for (const name of [...new Set(services)].sort()) {
    const slot = preferredSlot(name);
    if (taken.has(slot)) movers.push(name);
    else slots.set(name, slot);
    taken.add(slot);
  }
  for (const name of movers) {
    const slot = nextFree(preferredSlot(name), taken);
    slots.set(name, slot);
    taken.add(slot);
  }
  return (service) => slots.get(service) ?? preferredSlot(service);
}

/** Seven is coprime to the number of slots: every slot is tried, and the neighbour (nearest in hue) not first. */
function nextFree(from: number, taken: ReadonlySet<number>): number {
  for (let step = 1; step < SERVICE_SLOTS; step++) {
    const slot = (from + step * 7) % SERVICE_SLOTS;
    if (!taken.has(slot)) return slot;
  }
  return from;
}
