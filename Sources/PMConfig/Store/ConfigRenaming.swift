internal import JSON
internal import PMModel

/// Gives a service another name in a text: in its keys, in all profiles, and where others refer to it. Every other byte
/// stays as it is.
struct ConfigRenaming {
    private let rename: ServiceRename
    private let before: Configuration
    private let document: JSONDocument
    /// True when the definition has the name of the service, and gets the new one too.
    private let includesContainer: Bool
    /// New texts of keys and strings, by the place of the old ones.
    private var texts: [(offset: Int, text: String)] = []

    /// Takes a text, and the configuration that it is.
    ///
    /// - Throws: `ConfigError`: `missing` without such a service, `busy` for a name that is taken.
    init(_ rename: ServiceRename, _ before: Configuration, _ document: JSONDocument) throws(ConfigError) {
        let (old, new) = (rename.old, rename.new)
        guard before.mapping(old) != nil || before.container(old) != nil else {
            throw ConfigError(.missing, "there is no service \(old)", hint: "pm ls shows what there is")
        }
        if let taken = before.fullName(new) {
            throw ConfigError(.busy, "there is a service \(taken) already", hint: "choose another name than \(new)")
        }
        let container = before.mapping(old)?.container ?? old
        guard container == old || before.container(old) == nil else {
            throw ConfigError(
                .busy, "\(old) is also the name of a definition that it does not use",
                hint: "give that definition another name with pm edit, and rename \(old) then")
        }
        (self.rename, self.before, self.document) = (rename, before, document)
        includesContainer = container == old
    }

    /// The text with the new name.
    ///
    /// - Throws: `JSONError` when the text is no JSON.
    mutating func bytes() throws(JSONError) -> [UInt8] {
        texts = []
        for root in [document.root] + (document.root["profiles"]?.members ?? []).map(\.node) { renameParts(of: root) }
        let edit = JSONTextEdit(document)
        var bytes = document.bytes
        for (offset, text) in texts.sorted(by: { $0.offset > $1.offset }) {
            let range = try edit.range(of: JSONNode(scalar: .null, at: offset))
            bytes.replaceSubrange(range, with: JSONValue.string(text).serialized())
        }
        return bytes
    }

    private mutating func renameParts(of root: JSONNode) {
        for member in root["containers"]?.members ?? [] {
            if member.key == rename.old, includesContainer { texts.append((member.keyOffset, rename.new)) }
            renameDependencies(of: member.node)
        }
        for member in root["mapping"]?.members ?? [] {
            if member.key == rename.old { texts.append((member.keyOffset, rename.new)) }
            if includesContainer, let container = member.node["container"], written(container) == rename.old {
                set(container, rename.new)
            }
            renameDependencies(of: member.node)
            for trigger in member.node["on"]?.members ?? [] {
                for hook in trigger.node.isArray ? trigger.node.elements : [trigger.node] { renameCall(of: hook) }
            }
            for point in member.node["connect"]?.members ?? [] { renameRights(of: point.node) }
        }
    }

    private mutating func renameDependencies(of node: JSONNode) {
        for element in node["dependencies"]?.elements ?? [] {
            let place = element["name"] ?? element
            // A service with a scope may be named without it.
            guard let text = written(place), let meant = before.fullName(text) else { continue }
            let name = rename.name(of: meant)
            if name != meant { set(place, name) }
        }
    }

    private mutating func renameCall(of hook: JSONNode) {
        guard let call = hook["call"], let text = written(call), let service = Configuration.service(ofCall: text),
            before.fullName(service) == rename.old
        else { return }
        set(call, rename.new + text.dropFirst(service.count))
    }

    /// The lists of what clients on the network may call.
    private mutating func renameRights(of point: JSONNode) {
        guard let allow = point["allow"] else { return }
        for place in allow.isArray ? allow.elements : [allow] {
            guard let text = written(place) else { continue }
            let renamed = text == rename.old ? rename.new : rename.command(text)
            if renamed != text { set(place, renamed) }
        }
    }

    /// A text without variables, as it reads.
    private func written(_ node: JSONNode) -> String? {
        guard let text = node.string else { return nil }
        return text.contains("$") ? nil : text
    }

    private mutating func set(_ node: JSONNode, _ text: String) {
        texts.append((node.offset, ValueTemplate.escaped(text)))
    }

    /// Refuses a text in which not all that referred to the service still does: a reference may be made of a variable, or
    /// the new name may mean something else.
    ///
    /// - Throws: `ConfigError` with the service that would refer to something else.
    func check(_ after: Configuration) throws(ConfigError) {
        for name in before.unitNames {
            let wanted = before.references(of: name).map(rename.name)
            guard after.references(of: rename.name(of: name)) != wanted else { continue }
            throw ConfigError(
                .busy, "\(name) would not refer to the same services any more if \(rename.old) were \(rename.new)",
                hint: "change what \(name) depends on or calls with pm edit; a name made of variables cannot be renamed"
            )
        }
    }
}

extension Configuration {
    /// The service of a command that a hook calls.
    static func service(ofCall text: String) -> String? {
        text.firstIndex(of: ".").map { String(text[..<$0]) }
    }

    /// The services that a service refers to, by their full names: its dependencies, and those that its hooks call.
    fileprivate func references(of name: String) -> [String] {
        guard let unit = unit(name) else { return [] }
        let calls = HookTrigger.allCases.flatMap { unit.mapping.hooks.of[$0] ?? [] }.compactMap { hook in
            if case .call(let text) = hook.action { Self.service(ofCall: text) } else { nil }
        }
        let names = unit.definition.dependencies + unit.mapping.dependencies.map(\.name) + calls
        return names.map { fullName($0) ?? $0 }
    }
}
