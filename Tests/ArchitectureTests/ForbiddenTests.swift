import Glibc
import Testing

/// A pattern that must not stand in some kinds of files.
struct Ban {
    let reason: String
    /// Whether the pattern is looked for in comments and strings too.
    var inProse = false
    /// A comment on the line or right above it that says this allows the pattern; nil: nothing does.
    var excuse: String?
    /// Without one of these in its text a file is not searched: most are not, and regular expressions are slow.
    let hints: [String]
    // Regex is not Sendable, so a ban makes it again.
    let pattern: @Sendable () -> any RegexComponent

    func violations(in file: SourceFile) -> [Violation] {
        guard hints.contains(where: { strstr(file.text, $0) != nil }) else { return [] }
        let lines = file.lines
        let searched = inProse ? lines.map(String.init) : code(file)
        let regex = pattern()
        return searched.indices.compactMap { index in
            guard searched[index].contains(regex), !isExcused(index, lines) else { return nil }
            return Violation(path: file.path, line: index + 1, reason: reason)
        }
    }

    private func code(_ file: SourceFile) -> [String] {
        Code.language(of: file.path).map { Code(file.text, $0).lines } ?? file.lines.map(String.init)
    }

    private func isExcused(_ index: Int, _ lines: [Substring]) -> Bool {
        guard let excuse else { return false }
        let above = lines[..<index].reversed().prefix { $0.drop { $0 == " " }.hasPrefix("//") }
        return ([lines[index]] + above).contains { line in
            line.firstRange(of: "//").map { excuse.isEmpty || line[$0.upperBound...].contains(excuse) } ?? false
        }
    }
}

extension Ban {
    static let swift = [
        Ban(reason: "may crash", hints: ["!", "fatalError"]) { /\btry!|\bas!|\bfatalError\(/ },
        Ban(
            reason: "no comment says that it holds because", excuse: "holds because",
            hints: ["@unchecked", "(unsafe)", "@preconcurrency"]
        ) {
            /@unchecked Sendable|nonisolated\(unsafe\)|unowned\(unsafe\)|@preconcurrency/
        },
        Ban(reason: "an error is dropped and no comment says why that is right", excuse: "", hints: ["try?"]) {
            /\btry\?/
        },
        Ban(
            reason: "the program would depend on the folder it is built in",
            hints: ["withoutActuallyEscaping", "#filePath"]
        ) {
            /\bwithoutActuallyEscaping\(|#filePath\b/
        },
        Ban(
            reason: "an enum of C takes any number, and a switch over an unknown one ends the process: use checking:",
            hints: ["(rawValue:"]
        ) {
            /\b(pm|PM)_\w+\(rawValue:/
        },
        Ban(reason: "no Foundation", hints: ["Foundation"]) { /\bimport Foundation\b/ },
    ]

    static let belowCommands = [
        Ban(reason: "only the command line prints", hints: ["print(", "debugPrint(", "dump("]) {
            /\b(print|debugPrint|dump)\(/
        }
    ]

    // One letter of each stands in brackets, so that this file does not hold them.
    static let everywhere = [
        Ban(reason: "unfinished", inProse: true, hints: ["TOD\u{4F}", "FIXM\u{45}", "XX\u{58}"]) {
            /\b(TOD[O]|FIXM[E]|XX[X])\b/
        },
        Ban(
            reason: "a path of one machine", inProse: true,
            hints: ["/work/", "/farm/", "/opt/", "/User\u{73}/", "/roo\u{74}/"]
        ) {
            /\/(work|farm)\/(main|shared|steering|h|in)\b|\/opt\/swif[t]|\/User[s]\/|\/roo[t]\//
        },
    ]

    static let tests = [
        Ban(reason: "waits for time, not for an event", hints: ["sleep", "timers/promises"]) {
            /\bTask\.sleep|\bThread\.sleep|\b(usleep|nanosleep)\(|(^|[^.\w])sleep\(|timers\/promises/
        }
    ]
}

/// Catch blocks that drop an error: they neither use it nor say why that is right.
enum SilentCatches {
    static func violations(in file: SourceFile) -> [Violation] {
        guard strstr(file.text, "catch {") != nil else { return [] }
        let lines = file.lines
        let code = Code(file.text, .swift).lines
        return lines.indices.compactMap { start in
            guard code[start].contains(/\}\s*catch\s*\{\s*$/) else { return nil }
            let margin = lines[start].prefix { $0 == " " }
            let end = lines[(start + 1)...].firstIndex { $0.hasPrefix(margin + "}") } ?? lines.endIndex
            // The default boundary of a word takes "error.code" for one word (Unicode UAX 29).
            let isUsed = code[start..<end].contains { $0.contains(/\berror\b/.wordBoundaryKind(.simple)) }
            let isExplained = lines[start..<end].contains { $0.contains("// ") }
            guard !isUsed, !isExplained else { return nil }
            return Violation(
                path: file.path, line: start + 1, reason: "an error is dropped and no comment says why that is right")
        }
    }
}

@Suite struct ForbiddenTests {
    @Test func `sources hold nothing that crashes, hides an error or silences the compiler`() throws {
        expectNone(try violations(of: Ban.swift, in: ["Sources"], [".swift"]))
    }

    @Test func `a caught error is used, or a comment says why not`() throws {
        expectNone(try SourceTree.swift("Sources").flatMap { SilentCatches.violations(in: $0) })
    }

    @Test(arguments: [
        ("do {\n    try f()\n} catch {\n    g()\n}\n", 1), ("do {\n    try f()\n} catch {\n    g(error)\n}\n", 0),
        ("do {\n    try f()\n} catch {\n    g(error.code)\n}\n", 0),
        ("do {\n    try f()\n} catch {\n    // It is gone.\n    g()\n}\n", 0),
        ("do {\n    try f()\n} catch {  // it is gone\n    g()\n}\n", 0),
        ("do {\n    try f()\n} catch {\n    g(\"error\")\n}\n", 1), ("do {\n} catch is Gone {\n    g()\n}\n", 0),
        ("if a {\n    do {\n    } catch {\n        if b {\n        }\n    }\n}\nlet error = 1\n", 1),
    ])
    func `a silent catch is found`(text: String, count: Int) {
        #expect(SilentCatches.violations(in: SourceFile(path: "Sources/A/a.swift", text: text)).count == count)
    }

    @Test func `nothing is printed below the command line`() throws {
        let below = try SourceTree.swift("Sources").filter { !["PMCommands", "pm"].contains($0.module) }
        expectNone(below.flatMap { file in Ban.belowCommands.flatMap { $0.violations(in: file) } })
    }

    @Test func `nothing is unfinished or bound to one machine`() throws {
        let places = ["Sources", "CSources", "Tests", "Benchmarks", "Examples", "scripts", "Docs", "Packaging", ".ci"]
        let kinds = [".swift", ".c", ".h", ".S", "js", ".json", ".sh", ".py", ".md", "run", "test", "lint", "demo"]
        expectNone(try violations(of: Ban.everywhere, in: places, kinds))
    }

    @Test func `tests wait for events and never sleep`() throws {
        expectNone(try violations(of: Ban.tests, in: ["Tests"], [".swift", ".c", ".mjs", ".js"]))
    }

    @Test(arguments: [
        ("try! f()", 1), ("x as! Int", 1), ("// try! f()\n\"try!\"", 0), ("fatalError(\"a\")", 1),
        ("final class A: @unchecked Sendable {", 1), ("// holds because one thread\nclass A: @unchecked Sendable {", 0),
        ("nonisolated(unsafe) var a = 1", 1), ("let a = try? f()", 1), ("let a = try? f()  // absent is fine", 0),
        ("// absent is fine\nlet a = try? f()", 0), ("internal import Foundation", 1),
        ("pm_step(rawValue: number)", 1), ("try withoutActuallyEscaping(body) { $0() }", 1),
        ("f(path: #filePath)", 1), ("// #filePath", 0),
    ])
    func `a breach is found`(text: String, count: Int) {
        let file = SourceFile(path: "Sources/A/a.swift", text: text)
        #expect(Ban.swift.flatMap { $0.violations(in: file) }.count == count)
    }

    @Test(arguments: ["TO" + "DO: more", "a /wo" + "rk/main b", "XX" + "X"])
    func `unfinished words and machine paths are found in prose too`(text: String) {
        #expect(Ban.everywhere.flatMap { $0.violations(in: SourceFile(path: "a.md", text: text)) }.count == 1)
    }

    @Test(arguments: [
        "Task.sleep(for: x)", "usleep(1)", "  sleep(1);", "import { setTimeout } from 'node:timers/promises'",
    ])
    func `a sleep is found`(text: String) {
        let file = SourceFile(path: "a.txt", text: text)
        #expect(Ban.tests.flatMap { $0.violations(in: file) }.count == 1)
    }

    private func violations(of bans: [Ban], in places: [String], _ kinds: [String]) throws -> [Violation] {
        try SourceTree.files(places, kinds).flatMap { file in bans.flatMap { $0.violations(in: file) } }
    }
}
