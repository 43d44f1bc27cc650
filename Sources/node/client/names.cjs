'use strict';

/** Names for instances that nobody named: an adjective and a scientist. */

const ADJECTIVES = `
able agile amber apt ardent blithe bold brave breezy bright brisk calm candid careful cheerful clever cosmic cozy crisp
curious daring deft dapper eager earnest fair fearless fleet fond frank gentle gifted glad golden graceful happy hardy
honest humble jolly keen kind lively loyal lucid mellow merry mighty modest neat nimble noble patient placid plucky
polite proud quick quiet radiant ready robust serene sharp silver sincere sleek snug steady sturdy subtle sunny swift
tidy tender tranquil upbeat vivid warm wise witty zesty
`.trim().split(/\s+/);

const SCIENTISTS = `
abel agnesi ampere archimedes avogadro babbage banach bell bernoulli bohr boltzmann bolyai boole born bose brahe cantor
carson cauchy cavendish cerf chandrasekhar church codd copernicus curie dalton darwin descartes dijkstra dirac edison
einstein engelbart erdos euclid euler faraday fermat fermi feynman fourier franklin galileo galois gauss germain goodall
godel hamilton hamming hawking heisenberg hertz hilbert hodgkin hopper hubble hypatia johnson joule kepler kernighan
knuth kovalevskaya lamarr lamport laplace lavoisier leibniz liskov lovelace maxwell mccarthy mcclintock meitner
mendel mendeleev minsky mirzakhani newton noether ohm pascal pasteur pauling perlman planck poincare ptolemy ramanujan
raman riemann ritchie rutherford sagan shannon stallman tesla thompson torvalds turing volta wiles wing wirth yonath wu
`.trim().split(/\s+/);

/**
 * A name such as `brave-stallman`.
 * @param {number} [retry] when given, a digit is appended: for a caller whose first names were taken
 * @returns {string} lower-case letters, a dash, lower-case letters
 */
function getRandomName(retry) {
  const name = `${pick(ADJECTIVES)}-${pick(SCIENTISTS)}`;
  return retry ? `${name}${Math.floor(Math.random() * 10)}` : name;
}

function pick(list) {
  return list[Math.floor(Math.random() * list.length)];
}

module.exports = { getRandomName };
