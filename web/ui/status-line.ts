import { LEAST_BATTERY } from '../../core/donate/conditions.ts';
import type { VolunteerView } from '../volunteer.ts';
import type { Words } from './words.ts';
import type status from '../languages/en/status.json';

export type StatusWord = keyof typeof status;

/** The one line that says what happens, and why where nothing does. */
export function statusLine({ phase, status, failure }: VolunteerView, words: Words<StatusWord>): string {
  const { format } = words;
  if (failure !== undefined && phase === 'stopped') return words.say('failed');
  if (phase === 'starting' && status.state === 'off') return words.say('starting');
  switch (status.state) {
    case 'off':
      return words.say('stopped');
    case 'connecting':
      return words.say('connecting');
    case 'filling':
      return status.filling === undefined ? words.say('filling.unknown') : words.say('filling', { done: format.bytes(status.filling.done), total: format.bytes(status.filling.total) });
    case 'serving':
      if (status.peers.length === 0) return words.say('ready');
      return words.many(status.rate > 0 ? 'giving' : 'ready', status.peers.length);
    case 'idle':
      return words.say(`idle.${status.reason}`, { battery: format.percent(LEAST_BATTERY) });
    case 'failing':
      return words.say('failing');
  }
}

/** What went wrong, where something did: it may be long, and in words that others chose. Else nothing. */
export function whyNot({ phase, status, failure }: VolunteerView, words: Words<StatusWord>): string {
  if (failure !== undefined && phase === 'stopped') return words.say('failed.why', { message: failure.message });
  return status.state === 'failing' ? words.say('failing.why', { message: status.failure.message }) : '';
}

/** What a screen reader is told: not each number, only that something is otherwise than before. */
export function situation({ phase, status, failure }: VolunteerView): string {
  return [phase, failure?.code, status.state, status.state === 'idle' ? status.reason : '', status.state === 'failing' ? status.failure.code : ''].join(' ');
}

/** The colour of the sign beside the line. */
export function mood({ phase, status, failure }: VolunteerView): 'giving' | 'busy' | 'quiet' | 'wrong' {
  if (failure !== undefined || status.state === 'failing') return 'wrong';
  if (status.state === 'serving') return 'giving';
  return phase === 'starting' || status.state === 'connecting' || status.state === 'filling' ? 'busy' : 'quiet';
}
