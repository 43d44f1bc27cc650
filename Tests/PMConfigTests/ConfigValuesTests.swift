import JSON
import PMModel
import Testing

@testable import PMConfig

/// Variables and profiles of a file.
@Suite struct ConfigValuesTests {
    private static let text = """
        {
          "containers": { "a": { "path": "${DIR}/a.js", "commandable": "${CALLS}" } },
          "mapping": { "a": { "cli": ["x", "${PORT:-80}"], "instances": "${COUNT}", "env": { "A": "${A}", "B": "$${B}" }, "config": { "deep": ["${A}"] } } },
          "profiles": {
            "prod": { "mapping": { "a": { "cli": ["prod"], "env": { "A": null, "C": "c" }, "restart": "always" }, "b": { "container": "a" } } },
            "bad": { "mapping": { "a": { "restart": "sometimes" } } }
          },
          "other": "${UNTOUCHED}"
        }
        """
    private static let variables = ["DIR": "/srv", "CALLS": "true", "COUNT": "3", "A": "${B}"]

    private func file(_ values: ConfigValues, text: String = ConfigValuesTests.text) throws(ConfigError) -> ConfigFile {
        try ConfigFile(path: "/srv/.pm.config.json", bytes: Array(text.utf8), values: values)
    }

    private func applied(_ edits: [ConfigEdit], _ values: ConfigValues) throws -> String {
        let store = try ConfigStore(path: "/srv/.pm.config.json", values: values)
        return String(decoding: try store.applying(edits, to: Array(Self.text.utf8)).document.bytes, as: UTF8.self)
    }

    @Test func `texts get the values of variables, also where a number or a boolean belongs`() throws {
        let configuration = try file(.init(variables: Self.variables)).configuration
        #expect(
            configuration.container("a")?.path == "/srv/a.js" && configuration.container("a")?.isCommandable == true)
        let mapping = try #require(configuration.mapping("a"))
        #expect(mapping.cli == ["x", "80"] && mapping.instances == 3)
        #expect(mapping.env.map(\.value) == ["${B}", "${B}"] && mapping.config == #"{"deep":["${B}"]}"#)
    }

    @Test func `a variable without a value is an error at its place`() throws {
        var variables = Self.variables
        variables["A"] = nil
        let error = #expect(throws: ConfigError.self) { try file(.init(variables: variables)) }
        #expect(
            error?.problems.map(\.description) == [
                "/srv/.pm.config.json:3:92: mapping.a.env.A: the variable A is not set",
                "/srv/.pm.config.json:3:137: mapping.a.config.deep[0]: the variable A is not set",
            ])
        #expect(error?.hint?.contains("${A:-DEFAULT}") == true)
        #expect(try file(.forEditing(variables: [:])).configuration.mapping("a")?.env.first?.value == "${A}")
    }

    @Test func `a profile is laid over the file as a merge patch`() throws {
        let configuration = try file(.init(variables: Self.variables, profile: "prod")).configuration
        let mapping = try #require(configuration.mapping("a"))
        #expect(mapping.cli == ["prod"] && mapping.restart.condition == .always && mapping.instances == 3)
        #expect(mapping.env.map(\.name) == ["B", "C"])
        #expect(configuration.mapping("b")?.container == "a")
        #expect(try file(.init(variables: Self.variables)).configuration.mapping("b") == nil)
        let unknown = #expect(throws: ConfigError.self) { try file(.init(variables: Self.variables, profile: "x")) }
        #expect(unknown?.description == #"/srv/.pm.config.json:4:15: profiles: there is no profile "x""#)
        #expect(unknown?.hint == "the profiles are prod, bad")
    }

    @Test func `a check reads the profiles that are not chosen`() throws {
        let bytes = Array(Self.text.utf8)
        let all = ConfigFile.problems(path: "f", bytes: bytes, values: .init(variables: Self.variables))
        #expect(all?.filter { $0.severity == .error }.map(\.line) == [6])
    }

    @Test func `an edit keeps variables as they are written`() throws {
        let values = ConfigValues(variables: Self.variables)
        var mapping = try #require(try file(values).configuration.mapping("a"))
        mapping.env.append(EnvironmentVariable(name: "D", value: "${literal}"))
        mapping.isAutostart = true
        let text = try applied([.setMapping("a", mapping), .setConnect("a", [ConnectionPoint(url: "u")])], values)
        #expect(
            text.contains(#""instances": "${COUNT}", "env": { "A": "${A}", "B": "$${B}", "D": "$${literal}" }"#),
            "\(text)")
        #expect(text.contains(#""config": { "deep": ["${A}"] }"#) && text.contains(#""cli": ["x", "${PORT:-80}"]"#))
    }

    @Test func `an edit changes the profile where that sets the key`() throws {
        let values = ConfigValues(variables: Self.variables, profile: "prod")
        let text = try applied(
            [.setValue(["mapping", "a", "restart"], "never"), .setAutostart("a", true), .removeMapping("b")], values)
        #expect(text.contains(#""C": "c" }, "restart": "never" } } }"#), "\(text)")
        #expect(text.contains(#""autostart": true"#) && !text.contains(#""b""#))
    }

    @Test func `values are not longer than a file may be`() throws {
        let long = String(repeating: "x", count: 1 << 20)
        let list = Array(repeating: "\"${LONG}\"", count: 17).joined(separator: ",")
        let text = "{\"containers\":{\"a\":{\"path\":\"a\"}},\"mapping\":{\"a\":{\"cli\":[\(list)]}}}"
        let error = #expect(throws: ConfigError.self) { try file(.init(variables: ["LONG": long]), text: text) }
        #expect(error?.problems.count == 1 && error?.description.contains("longer than 16 MB") == true)
    }

    @Test func `a variable that names a password is no password in the file`() throws {
        let names = #"{"env": {"DB_PASSWORD": "${DB_PASSWORD}", "KEY": {"secret": "file:/k"}}}"#
        #expect(try ConfigSecrets.first(in: JSONDocument(parsing: Array(names.utf8)).root) == nil)
        let written = #"{"env": {"DB_PASSWORD": "${X:-hunter2}"}}"#
        #expect(try ConfigSecrets.first(in: JSONDocument(parsing: Array(written.utf8)).root) == ["env", "DB_PASSWORD"])
    }
}
