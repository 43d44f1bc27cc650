import Glibc
import PMAPI
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

    @Test @PMActor func `a unit is made once for each version of the configuration`() async throws {
        let (folder, path) = try Self.makeConfiguration()
        defer { Self.remove(folder, path) }
        let units = try UnitResolver(path: path, values: .none, reactor: TestLoop.reactor)
        for _ in 0..<5 { #expect(try units.require("a").program == folder + "/one") }
        #expect(units.find("a")?.name == "a")
        #expect(units.resolutions == 1)
        #expect(units.find("b") != nil && units.resolutions == 2)
        try Files.replace(path, with: Self.text("other"))
        await Self.refresh(units)
        #expect(try units.require("a").program == folder + "/other" && units.resolutions == 3)
        // An alias is made of the unit that it stands for.
        units.add(alias: "a", for: "b")
        units.add(alias: "c", for: "b")
        #expect(try units.require("c").program == folder + "/b")
    }

    @PMActor private static func refresh(_ units: UnitResolver) async {
        await withCheckedContinuation { continuation in units.source.whenCurrent { continuation.resume() } }
    }

    @PMActor private static func edit(_ units: UnitResolver, _ isOn: Bool) async {
        await withCheckedContinuation { continuation in
            units.edit([.setAutostart("a", isOn)]) { _ in continuation.resume() }
        }
    }

    @Test @PMActor func `a change of the daemon's own is not read again, and one right after it is`() async throws {
        let (folder, path) = try Self.makeConfiguration()
        defer { Self.remove(folder, path) }
        let units = try UnitResolver(path: path, values: .none, reactor: TestLoop.reactor)
        let changes = ChangeCounter()
        units.connect(nil, [changes])
        await Self.edit(units, true)
        #expect(changes.count == 1 && units.find("a")?.mapping.isAutostart == true)
        await Self.refresh(units)
        #expect(changes.count == 1)
        await Self.edit(units, false)
        try Files.replace(path, with: Self.text("other"))
        await Self.refresh(units)
        #expect(try changes.count == 3 && units.require("a").program == folder + "/other")
    }

    @Test @PMActor func `requests wait for a change before them and for a new file, and go on in order`() async throws {
        let (folder, path) = try Self.makeConfiguration()
        defer { Self.remove(folder, path) }
        let source = try UnitResolver(path: path, values: .none, reactor: TestLoop.reactor).source
        var order: [String] = []
        source.whenCurrent { order.append("at once") }
        #expect(order == ["at once"])
        await withCheckedContinuation { continuation in
            // As handlers do: the change begins in its turn.
            source.whenCurrent { source.edit([.setAutostart("a", true)]) { _ in order.append("changed") } }
            source.whenCurrent {
                order.append(source.configuration.mapping("a")?.isAutostart == true ? "sees it" : "too early")
                source.edit([.removeContainer("b")]) { _ in order.append("removed") }
            }
            source.whenCurrent {
                order.append(source.configuration.container("b") == nil ? "last" : "too early")
                continuation.resume()
            }
            #expect(order == ["at once"])
        }
        #expect(order == ["at once", "changed", "sees it", "removed", "last"])
        // A broken file is read once, and used again when it is mended.
        try Files.replace(path, with: Array("{".utf8))
        await withCheckedContinuation { continuation in source.whenCurrent { continuation.resume() } }
        #expect(throws: APIError.self) { try source.requireUsable() }
        var isAtOnce = false
        source.whenCurrent { isAtOnce = true }
        #expect(isAtOnce && !source.faults.isEmpty)
        try Files.replace(path, with: Self.text("other"))
        await withCheckedContinuation { continuation in source.whenCurrent { continuation.resume() } }
        try source.requireUsable()
        #expect(source.faults.isEmpty)
    }
}

@PMActor
private final class ChangeCounter: ConfigurationObserver {
    private(set) var count = 0

    func configurationChanged() { count += 1 }
}
