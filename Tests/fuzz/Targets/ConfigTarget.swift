import JSON
import PMModel

@testable import PMConfig

/// A configuration's text, read and changed by each kind of edit.
enum ConfigTarget {
    static let path = "/nowhere/.pm.config.json"

    static func check(_ input: [UInt8]) throws(Finding) {
        let file: ConfigFile
        do throws(ConfigError) {
            file = try ConfigFile(path: path, bytes: input)
        } catch {
            return try check(error, input)
        }
        try check(file.warnings, input)
        let store = try mustWork("a store needs no file") { try ConfigStore(path: path) }
        for (edit, root) in edits(of: file) { try EditCheck(store: store, edit: edit, root: root).run(on: file) }
        try checkRemoval(file, store)
        try checkRename(file, store)
    }

    private static func check(_ error: ConfigError, _ input: [UInt8]) throws(Finding) {
        try require(error.kind == .invalid && !error.problems.isEmpty, "a text is refused for what is wrong in it")
        try check(error.problems, input)
    }

    private static func check(_ problems: [ConfigProblem], _ input: [UInt8]) throws(Finding) {
        let lines = 1 + input.count { $0 == UInt8(ascii: "\n") }
        for problem in problems where problem.line != nil {
            try require((1...lines).contains(problem.line ?? 0), "a problem stands in the text")
            try require(!problem.description.isEmpty && (problem.column ?? 1) >= 1, "a problem has a place and a text")
        }
    }

    /// An edit of each kind, with the member of the root that it may touch.
    private static func edits(of file: ConfigFile) -> [(ConfigEdit, String)] {
        let configuration = file.configuration
        let container = configuration.containers.first
        let mapping = configuration.mappings.last
        let value = mapping?.value ?? Mapping(container: "fuzzed")
        return [
            (.setValue(["fuzzed key", "a\"b"], ["x": [1, "y", [:]]]), "fuzzed key"),
            (.setAutostart(mapping?.name ?? "fuzzed", true), "mapping"),
            (.setMapping("fuzzed", value), "mapping"),
            (.setMapping(mapping?.name ?? "fuzzed", value), "mapping"),
            (.setContainer("fuzzed", container?.value ?? ContainerDefinition(path: "/x")), "containers"),
            (.removeContainer(container?.name ?? "fuzzed"), "containers"),
            (.removeMapping(mapping?.name ?? "fuzzed"), "mapping"),
            (.addPackage("@fuzzed/package"), "setup"),
            (.removePackage(configuration.packages.first ?? "fuzzed"), "setup"),
            (.setDaemonSocket(url: "jsonrpc+unix:///fuzzed.sock"), "mapping"),
            (.setConnect(mapping?.name ?? "pm", [ConnectionPoint(url: "jsonrpc+tcp://h:1")]), "mapping"),
        ]
    }

    /// A service gets another name and its own again, or that is refused with a reason.
    private static func checkRename(_ file: ConfigFile, _ store: ConfigStore) throws(Finding) {
        guard let old = file.configuration.unitNames.last else { return }
        let there: ConfigFile
        do throws(ConfigError) {
            there = try store.applying([.rename(ServiceRename(from: old, to: "fuzzed"))], to: file.document.bytes)
        } catch {
            return try require([.busy, .invalid].contains(error.kind), "a rename is refused with a reason")
        }
        let names = there.configuration.unitNames
        try require(names.contains("fuzzed") && !names.contains(old), "a service has the new name alone")
        try require(names.count == file.configuration.unitNames.count, "no other service comes or goes")
        do throws(ConfigError) {
            let back = try store.applying([.rename(ServiceRename(from: "fuzzed", to: old))], to: there.document.bytes)
            let isBack = back.configuration.unitNames == file.configuration.unitNames
            if !isBack { throw ConfigError(.invalid, "a rename can be taken back") }
        } catch {
            // The old name may now mean a service with a scope.
            try require(error.kind == .busy, "\(error)")
        }
    }

    /// What is added to a filled object and taken out again leaves no trace.
    private static func checkRemoval(_ file: ConfigFile, _ store: ConfigStore) throws(Finding) {
        let key = "fuzzed and removed"
        guard file.document.root[key] == nil, !file.document.root.members.isEmpty else { return }
        let there = try mustWork("a new member can be added") {
            try store.applying([.setValue([key], ["a": true])], to: file.document.bytes).document.bytes
        }
        let gone = try mustWork("a member can be removed") {
            try store.applying([.setValue([key], nil)], to: there).document.bytes
        }
        try require(gone == file.document.bytes, "what is added and removed again leaves no trace")
    }
}

/// One edit of one file.
private struct EditCheck {
    let store: ConfigStore
    let edit: ConfigEdit
    let root: String

    func run(on file: ConfigFile) throws(Finding) {
        let bytes = file.document.bytes
        let once: [UInt8]
        do throws(ConfigError) {
            once = try store.applying([edit], to: bytes).document.bytes
        } catch {
            return try require(error.kind == .invalid && !error.problems.isEmpty, "an edit is refused with a reason")
        }
        let new = try mustWork("an edited file can be read") { try ConfigFile(path: ConfigTarget.path, bytes: once) }
        try require(others(file) == others(new), "members that the edit \(edit) is not about keep their bytes")
        try checkEffect(new)
        let twice = try mustWork("an edit can be repeated") { try store.applying([edit], to: once).document.bytes }
        try require(twice == once, "the edit \(edit) made twice is made once")
    }

    /// Names and texts of what the edit is not about.
    private func others(_ file: ConfigFile) -> [[UInt8]] {
        let bytes = file.document.bytes
        return file.document.root.members.filter { !$0.key.utf8.elementsEqual(root.utf8) }.flatMap { member in
            [member.keyOffset, member.node.offset].map { offset in
                // A document's own offsets lead to values.
                (try? JSONTarget.raw(offset, bytes)).map { Array($0) } ?? []
            }
        }
    }

    private func checkEffect(_ file: ConfigFile) throws(Finding) {
        let new = file.configuration
        switch edit {
        case .setContainer(let name, let value):
            try require(new.container(name) == value, "a definition reads back as it was set")
        case .setMapping(let name, let value):
            try require(new.mapping(name) == value, "a mapping reads back as it was set")
        case .setAutostart(let name, let isOn): try require(new.mapping(name)?.isAutostart == isOn, "autostart is set")
        case .setInstances(let name, let count):
            try require(new.mapping(name)?.instances == count, "instances are set")
        case .setConnect(let name, let points): try require(new.mapping(name)?.connect == points, "points are set")
        case .removeContainer(let name): try require(new.container(name) == nil, "a definition is gone")
        case .removeMapping(let name): try require(new.mapping(name) == nil, "a mapping is gone")
        case .addPackage(let name): try require(new.packages.contains(name), "a package is there")
        case .removePackage(let name): try require(!new.packages.contains(name), "a package is gone")
        case .setDaemonSocket(let url):
            let points = new.mapping("pm")?.connect ?? []
            try require(points.contains { $0.url == url }, "the socket is there")
        case .setValue(let keys, let value):
            var node: JSONValue? = file.document.root.value
            for key in keys { node = node?[key] }
            try require(node == value, "a value reads back as it was set")
        case .rename(let rename): try require(new.unit(rename.old) == nil, "the old name is gone")
        }
    }
}
