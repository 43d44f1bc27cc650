import Glibc
import JSON
import PMSystem
import PMTestSupport
import Synchronization
import Testing

/// What writers of one configuration did, and what one of them may have saved over without looking.
private final class Ledger: Sendable {
    private struct State {
        var begun: Set<String> = []
        var accepted: Set<String> = []
        var endangered: Set<String> = []
        var writers = 2
    }

    private let state = Mutex(State())

    var accepted: Set<String> { state.withLock { $0.accepted } }
    var begun: Set<String> { state.withLock { $0.begun } }
    var mustBeThere: Set<String> { state.withLock { $0.accepted.subtracting($0.endangered) } }
    var isWritten: Bool { state.withLock { $0.writers > 0 } }

    func start(_ name: String) { state.withLock { _ = $0.begun.insert(name) } }
    func accept(_ name: String) { state.withLock { _ = $0.accepted.insert(name) } }
    func finish() { state.withLock { $0.writers -= 1 } }

    /// An editor saved these names; what else was registered since it looked may be gone, and not by the fault of pm.
    func saved(_ names: [String], lookedAt known: Set<String>) {
        state.withLock { $0.endangered.formUnion($0.begun.subtracting(known).subtracting(names)) }
    }
}

/// How an editor saves.
enum EditorWay: CaseIterable {
    /// A new file is renamed over the old one.
    case byRename
    /// The file is emptied and written.
    case inPlace
}

@Suite(.serialized) struct `Writers of one configuration` {
    @Test(arguments: EditorWay.allCases)
    func `lose nothing: two of pm and an editor at once`(way: EditorWay) async throws {
        try await TestProject.with { project in
            try project.configure([:])
            try project.startDaemon()
            let ledger = Ledger()
            var lastSave = 0
            try await withThrowingTaskGroup(of: Int?.self) { group in
                for writer in ["a", "b"] {
                    group.addTask {
                        defer { ledger.finish() }
                        try await register(writer, project, ledger)
                        return nil
                    }
                }
                group.addTask { try await edit(project, way, ledger) }
                group.addTask {
                    try await watch(project, way, ledger)
                    return nil
                }
                for try await number in group { lastSave = number ?? lastSave }
            }
            let names = Set(try project.definitions().map(\.key))
            #expect(names.isSuperset(of: ledger.mustBeThere), "lost: \(ledger.mustBeThere.subtracting(names))")
            #expect(try JSONValue(parsing: try project.read(".pm.config.json"))["editor"]?.int == lastSave)
            #expect(lastSave > 3 && ledger.mustBeThere.count > 3, "\(lastSave) saves, \(ledger.mustBeThere)")
        }
    }

    /// Registers names one after the other; a refusal says why, and is tried again.
    private func register(_ writer: String, _ project: TestProject, _ ledger: Ledger) async throws {
        for number in 1...TestSize.of(300, reduced: 25) {
            let name = "\(writer)-\(number)"
            ledger.start(name)
            while true {
                await Task.yield()
                let outcome = try project.pm("map", name, "/bin/true")
                if outcome.code == 0 { break }
                let isExplained = outcome.errors.hasPrefix("pm: ") && outcome.errors.contains(".pm.config.json")
                try #require([65, 73].contains(outcome.code) && isExplained, "\(outcome)")
            }
            ledger.accept(name)
        }
    }

    /// An editor that takes no lock: it reads, sets its own number, and saves unless the file has changed meanwhile.
    private func edit(_ project: TestProject, _ way: EditorWay, _ ledger: Ledger) async throws -> Int {
        let path = "\(project.directory)/.pm.config.json"
        var (number, seen) = (0, 0)
        while ledger.isWritten {
            await Task.yield()
            let known = ledger.accepted
            let before = try Files.read(path)
            // One save for every four changes that pm was asked for. What pm is putting back is no file to begin from.
            guard ledger.begun.count >= seen + 4, case .object(var root)? = try? JSONValue(parsing: before),
                root["editor"]?.int ?? 0 == number
            else { continue }
            seen = ledger.begun.count
            root["editor"] = .number(JSONNumber(number + 1))
            let text = JSONValue.object(root).serialized(indent: "  ")
            try Files.replace(path + ".edited", with: text)
            guard try Files.read(path) == before else { continue }
            number += 1
            switch way {
            case .byRename: rename(path + ".edited", path)
            case .inPlace:
                let file = try OwnedFD.open(path, O_WRONLY | O_TRUNC)
                try Files.write(text, to: file.raw, named: path)
            }
            ledger.saved(root["containers"]?.object?.map(\.key) ?? [], lookedAt: known)
        }
        try Files.remove(path + ".edited")
        return number
    }

    /// Reads the file all the time: it is never torn or empty, but by an editor that itself writes it so.
    private func watch(_ project: TestProject, _ way: EditorWay, _ ledger: Ledger) async throws {
        while ledger.isWritten {
            await Task.yield()
            let text = try project.read(".pm.config.json")
            if way == .inPlace && (try? JSONValue(parsing: text)) == nil { continue }
            #expect(throws: Never.self) { try JSONValue(parsing: text) }
        }
    }
}
