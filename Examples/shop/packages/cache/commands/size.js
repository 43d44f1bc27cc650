export default function size() {
  return this.values.size;
}
