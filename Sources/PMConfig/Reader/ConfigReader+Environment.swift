internal import JSON
internal import PMModel

extension ConfigReader {
    /// The variables of a service, and those whose values are elsewhere.
    mutating func environment(_ place: ConfigNode, _ mapping: inout Mapping) {
        for member in members(of: place) {
            let child = place.child(member)
            checkVariableName(member.key, at: child)
            if child.node.isObject {
                if let source = secret(child) {
                    mapping.secrets.append(SecretVariable(name: member.key, source: source))
                }
            } else if let variable = variable(child, named: member.key) {
                mapping.env.append(variable)
            }
        }
    }

    /// Variables that are all written out, as for an image of Docker.
    mutating func variables(_ place: ConfigNode) -> [EnvironmentVariable] {
        members(of: place).compactMap { member in
            let child = place.child(member)
            checkVariableName(member.key, at: child)
            return variable(child, named: member.key)
        }
    }

    private mutating func checkVariableName(_ name: String, at place: ConfigNode) {
        guard name.isEmpty || name.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "=") }) else { return }
        report("a variable's name must not be empty or contain '=' or NUL", at: place)
    }

    private mutating func variable(_ place: ConfigNode, named name: String) -> EnvironmentVariable? {
        switch place.node.shape {
        case .null: return EnvironmentVariable(name: name, value: nil)
        case .string: return string(place).map { EnvironmentVariable(name: name, value: $0) }
        case .number, .bool: return EnvironmentVariable(name: name, value: place.node.value.text)
        case .array, .object:
            expected("a string, a number, true, false, or null to unset it", at: place)
            return nil
        }
    }

    static let secretKeys = ["secret"]

    /// `{"secret": "file:/run/secrets/db"}`. Messages have no part of the text: it may be the secret itself.
    private mutating func secret(_ place: ConfigNode) -> SecretVariable.Source? {
        for member in members(of: place) where !Self.secretKeys.contains(member.key) {
            unknown(member, in: place, known: Self.secretKeys)
        }
        guard let node = place.node["secret"] else {
            report(#""secret" is missing"#, at: place, hint: Self.secretHint)
            return nil
        }
        guard let text = node.string, !text.utf8.contains(0), let source = SecretVariable.Source(text) else {
            let value = ConfigNode(node: node, key: place.key + ".secret")
            report("expected the place of a secret", at: value, hint: Self.secretHint)
            return nil
        }
        return source
    }

    private static let secretHint =
        #"write {"secret": "file:/run/secrets/NAME"}, or "credential:NAME" for a credential of systemd"#
}
