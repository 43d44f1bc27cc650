import JSON
import PMTestSupport
import PMSystem

/// Checks a document by the JSON Schema in Tests/Fixtures/kubernetes, which has the published rules of the fields that pm writes.
/// It knows the words of JSON Schema that this file uses.
enum KubernetesRules {
    static func problems(_ document: JSONValue) throws -> [String] {
        let path = TestPaths.root + "/Tests/Fixtures/kubernetes/schema.json"
        let root = try JSONValue(parsing: try Files.read(path))
        guard let schema = root["kinds"]?[document["kind"]?.string ?? ""] else { return ["unknown kind"] }
        return check(document, schema, root, "")
    }

    private static func check(_ value: JSONValue, _ schema: JSONValue, _ root: JSONValue, _ place: String) -> [String] {
        if let name = schema["$ref"]?.string {
            return check(value, root["definitions"]?[name] ?? .null, root, place)
        }
        if let constant = schema["const"] { return value == constant ? [] : ["\(place): not \(constant.text)"] }
        if let values = schema["enum"]?.array { return values.contains(value) ? [] : ["\(place): not one of them"] }
        switch (schema["type"]?.string, value) {
        case ("object", .object(let members)):
            var found: [String] = []
            for name in schema["required"]?.array ?? [] where members[name.string ?? ""] == nil {
                found.append("\(place): without \(name.text)")
            }
            for member in members {
                let known = schema["properties"]?[member.key] ?? schema["additionalProperties"]
                guard let known else {
                    found.append("\(place).\(member.key): unknown")
                    continue
                }
                found += check(member.value, known, root, place + "." + member.key)
            }
            return found
        case ("array", .array(let elements)):
            let least = schema["minItems"]?.int ?? 0
            let items = schema["items"] ?? .null
            let short = elements.count < least ? ["\(place): too short"] : []
            return short + elements.flatMap { check($0, items, root, place + "[]") }
        case ("string", .string(let text)):
            guard text.utf8.count <= schema["maxLength"]?.int ?? .max else { return ["\(place): too long"] }
            guard let pattern = schema["pattern"]?.string else { return [] }
            let matches = (try? Regex(pattern).wholeMatch(in: text)) != nil  // a wrong pattern matches nothing
            return matches ? [] : ["\(place): \(text) does not match \(pattern)"]
        case ("integer", .number(let number)):
            guard let whole = number.int else { return ["\(place): no whole number"] }
            let range = (schema["minimum"]?.int ?? .min)...(schema["maximum"]?.int ?? .max)
            return range.contains(whole) ? [] : ["\(place): out of range"]
        default: return ["\(place): not \(schema["type"]?.string ?? "?")"]
        }
    }
}
