/** Thrown by a command that needs to know more from the person who called it. */
export class InteractError extends Error {
  constructor(message: string, as?: string);
  readonly code: 'INTERACT';
  /** The option that takes the answer; without it the answer becomes one more argument. */
  readonly as: string | undefined;
  toJSON(): { code: 'INTERACT'; message: string; as?: string };
}

/**
 * Asks the person at the command line: it prints the message, reads a line and calls the command again with it.
 * @throws {InteractError} always
 */
export function interact(message: string, as?: string): never;

/** A name such as `brave-stallman`; with `retry` a digit is appended. */
export function getRandomName(retry?: number): string;
