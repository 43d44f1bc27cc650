import Glibc
import PMSystem
import PMTestSupport
import Testing

@testable import PMDaemon

/// The number of times that a unit is made of the configuration.
@Suite(.loop) struct UnitResolutionTests {
    private static func text(_ command: String) -> [UInt8] {
        Array(#"{"containers": {"a": {"path": "./\#(command)"}, "b": {"path": "./b"}}, "mapping": {}}"#.utf8)
    }

    private static func makeConfiguration() throws -> (folder: String, path: String) {
        var template = Array("/tmp/pm-units-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let path = folder + "/.pm.config.json"
        try Files.replace(path, with: text("one"))
        return (folder, path)
    }

    private static func remove(_ folder: String, _ path: String) {
        for name in [path, path + ".previous"] { unlink(name) }
        rmdir(folder)
    }

    @Test @PMActor func `a unit is made once for each version of the configuration`() throws {
        let (folder, path) = try Self.makeConfiguration()
        defer { Self.remove(folder, path) }
        let units = try UnitResolver(path: path, values: .none, reactor: TestLoop.reactor)
        for _ in 0..<5 { #expect(try units.require("a").program == folder + "/one") }
        #expect(units.find("a")?.name == "a")
        #expect(units.resolutions == 1)
        #expect(units.find("b") != nil && units.resolutions == 2)
        try Files.replace(path, with: Self.text("other"))
        try units.refresh()
        #expect(try units.require("a").program == folder + "/other" && units.resolutions == 3)
        // An alias is made of the unit that it stands for.
        units.add(alias: "a", for: "b")
        units.add(alias: "c", for: "b")
        #expect(try units.require("c").program == folder + "/b")
    }

    @Test @PMActor func `a change of the daemon's own is not read again, and one right after it is`() throws {
        let (folder, path) = try Self.makeConfiguration()
        defer { Self.remove(folder, path) }
        let units = try UnitResolver(path: path, values: .none, reactor: TestLoop.reactor)
        var changes = 0
        units.onChange = { changes += 1 }
        units.edit([.setAutostart("a", true)]) { _ in }
        #expect(changes == 1 && units.find("a")?.mapping.isAutostart == true)
        try units.refresh()
        #expect(changes == 1)
        units.edit([.setAutostart("a", false)]) { _ in }
        try Files.replace(path, with: Self.text("other"))
        try units.refresh()
        #expect(try changes == 3 && units.require("a").program == folder + "/other")
    }
}
