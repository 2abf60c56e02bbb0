import { TIMER_LIST_AREA } from '../../core/memory/map.js';
import type { Names } from './names.js';
import type { SharedState } from './shared-state.js';

/** Where the timer list keeps whether a timer is armed, and its deadline, in words of a machine's memory. */
const places = new Map<number, { readonly armed: number; readonly deadline: number }>();

function placesOf(timer: number): { readonly armed: number; readonly deadline: number } {
  const known = places.get(timer);
  if (known) return known;
  const address = (name: string): number => {
    const full = `${TIMER_LIST_AREA.name}.timer[${timer}].${name}`;
    const found = TIMER_LIST_AREA.addresses().find((word) => TIMER_LIST_AREA.field(word)?.name === full);
    if (found === undefined) throw new Error(`there is no ${full}`);
    return found;
  };
  const place = { armed: address('armed'), deadline: address('deadline.low') };
  places.set(timer, place);
  return place;
}

/** The deadline that a timer is armed for, in virtual ns; undefined if it is not armed. */
export function armedDeadline({ machine }: Names, state: SharedState, timer: number): number | undefined {
  const { armed, deadline } = placesOf(timer);
  return state.get(machine + armed) === 0 ? undefined : state.getTime(machine + deadline);
}
