// Wants all of a processor.
console.log('spinning');
const turn = () => {
  const end = Date.now() + 20;
  while (Date.now() < end);
  setImmediate(turn);
};
turn();
