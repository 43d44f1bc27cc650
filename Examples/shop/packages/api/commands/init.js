/** @param {string} greeting from `pm start api --greeting Welcome`; the default stands in commands.json */
export default function init(greeting) {
  this.greeting = greeting;
  console.log(`api greets with ${greeting}`);
}
