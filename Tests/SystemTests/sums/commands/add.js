/** The sum of two numbers. */
export default function add(a, b) {
  return Number(a) + Number(b);
}
