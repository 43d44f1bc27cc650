/** How many calls were given up. */
export default (state) => state.cancelled ?? 0;
