import Foundation
import PMTestSupport
import Testing

/// One text file of the repository.
struct SourceFile {
    /// Path from the top of the repository.
    let path: String
    let text: String

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The last component without its extension: `Start` of `Sources/PMAPI/Calls/Start.swift`.
    var stem: String {
        let name = path.split(separator: "/").last ?? ""
        return String(name.prefix { $0 != "." })
    }

    /// The module of a file in `Sources/MODULE/`.
    var module: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
}

/// The repository as the tests see it: files by place and extension, without what tools made.
enum SourceTree {
    private static let skipped: Set<String> = [".build", ".git", "node_modules", "Fixtures", "corpus"]

    /// Files below the directories whose names end in one of the extensions; absent directories hold none.
    static func files(_ directories: [String], _ extensions: [String]) throws -> [SourceFile] {
        try paths(directories).filter { extensions.contains(where: $0.hasSuffix) }.map(file)
    }

    /// Paths of all files below the directories, sorted.
    static func paths(_ directories: [String]) throws -> [String] {
        try directories.flatMap { try paths(in: $0) }.sorted()
    }

    static func swift(_ directories: String...) throws -> [SourceFile] { try files(directories, [".swift"]) }

    static func file(_ path: String) throws -> SourceFile {
        SourceFile(path: path, text: try String(contentsOfFile: absolute(path), encoding: .utf8))
    }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: absolute(path)) }

    private static func absolute(_ path: String) -> String { TestPaths.root + "/" + path }

    private static func paths(in directory: String) throws -> [String] {
        guard exists(directory) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: absolute(directory)).flatMap { name in
            let path = directory + "/" + name
            if skipped.contains(name) { return [String]() }
            return isDirectory(path) ? try paths(in: path) : [path]
        }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: absolute(path), isDirectory: &isDirectory)
            && isDirectory.boolValue
    }
}

/// A place that breaks a rule, printed as compilers do.
struct Violation: Equatable, CustomStringConvertible {
    let path: String
    let line: Int
    let reason: String

    var description: String { "\(path):\(line): \(reason)" }
}

/// Fails with a line for each violation.
func expectNone(_ violations: [Violation], sourceLocation: SourceLocation = #_sourceLocation) {
    let report = violations.map { "\n\($0)" }.joined()
    #expect(violations.isEmpty, "\(report)", sourceLocation: sourceLocation)
}
