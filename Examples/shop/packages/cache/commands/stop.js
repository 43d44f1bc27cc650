export default function stop() {
  console.log(`cache stops with ${this.values.size} values`);
}
