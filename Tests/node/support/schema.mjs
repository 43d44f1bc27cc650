/** What a JSON Schema (draft 2020-12) says against a value; only the keywords that the schema of pm uses, any other throws. */

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

function isOf(type, value) {
  switch (type) {
    case 'object': return isObject(value);
    case 'array': return Array.isArray(value);
    case 'null': return value === null;
    case 'integer': return Number.isInteger(value);
    case 'string': case 'number': case 'boolean': return typeof value === type;
    default: throw new Error(`unknown type ${type}`);
  }
}

const own = (object, key) => Object.hasOwn(object, key);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Each keyword: (its value, the value to check, the whole schema) to true when the value is valid. */
const KEYWORDS = {
  $schema: () => true,
  $id: () => true,
  title: () => true,
  type: (type, value) => [type].flat().some((one) => isOf(one, value)),
  enum: (values, value) => values.some((one) => same(one, value)),
  const: (one, value) => same(one, value),
  pattern: (pattern, value) => typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
  maxLength: (most, value) => typeof value !== 'string' || [...value].length <= most,
  minimum: (least, value) => typeof value !== 'number' || value >= least,
  maximum: (most, value) => typeof value !== 'number' || value <= most,
  minItems: (least, value) => !Array.isArray(value) || value.length >= least,
  maxItems: (most, value) => !Array.isArray(value) || value.length <= most,
  uniqueItems: (_, value) => !Array.isArray(value) || new Set(value.map((one) => JSON.stringify(one))).size === value.length,
  prefixItems: (schemas, value) => !Array.isArray(value) || schemas.every((one, index) => index >= value.length || isValid(one, value[index])),
  items: (schema, value, whole) =>
    !Array.isArray(value) || value.every((one) => isValid(schema, one)) || (whole.prefixItems !== undefined && value.slice(whole.prefixItems.length).every((one) => isValid(schema, one))),
  required: (keys, value) => !isObject(value) || keys.every((key) => own(value, key)),
  properties: (schemas, value) => !isObject(value) || Object.entries(schemas).every(([key, one]) => !own(value, key) || isValid(one, value[key])),
  patternProperties: (schemas, value) =>
    !isObject(value) || Object.entries(value).every(([key, one]) => Object.entries(schemas).every(([pattern, schema]) => !new RegExp(pattern, 'u').test(key) || isValid(schema, one))),
  additionalProperties: (schema, value, { properties = {}, patternProperties = {} }) =>
    !isObject(value) ||
    Object.entries(value).every(([key, one]) => own(properties, key) || Object.keys(patternProperties).some((pattern) => new RegExp(pattern, 'u').test(key)) || isValid(schema, one)),
  propertyNames: (schema, value) => !isObject(value) || Object.keys(value).every((key) => isValid(schema, key)),
  dependentSchemas: (schemas, value) => !isObject(value) || Object.entries(schemas).every(([key, one]) => !own(value, key) || isValid(one, value)),
  anyOf: (schemas, value) => schemas.some((one) => isValid(one, value)),
  oneOf: (schemas, value) => schemas.filter((one) => isValid(one, value)).length === 1,
  allOf: (schemas, value) => schemas.every((one) => isValid(one, value)),
  not: (schema, value) => !isValid(schema, value),
  if: (schema, value, { then }) => !isValid(schema, value) || isValid(then, value),
  then: () => true,
};

/** True when the value is valid. */
export function isValid(schema, value) {
  if (typeof schema === 'boolean') return schema;
  return Object.entries(schema).every(([keyword, argument]) => {
    if (KEYWORDS[keyword] === undefined) throw new Error(`unknown keyword ${keyword}`);
    return KEYWORDS[keyword](argument, value, schema);
  });
}
