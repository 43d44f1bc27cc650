/** The time, as ISO 8601 has it. */
export default function now() {
  return new Date().toISOString();
}
