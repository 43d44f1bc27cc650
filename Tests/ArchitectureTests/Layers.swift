/// The layers of the modules, lowest first: the same table as in Docs/Architecture.md, and a test compares the two.
enum Layers {
    static let table: [(name: String, modules: [String])] = [
        ("0 Linux", ["CPMLinux", "COpenSSL", "CSystemd"]),
        ("1 base", ["PMModel", "JSON"]),
        ("2 wire and kernel", ["JSONRPC", "PMSystem"]),
        ("3 one concern", ["PMAPI", "PMConfig", "PMDiscovery", "PMLogs", "PMMigration"]),
        ("4 behave", ["PMSupervisor", "PMRouting", "PMClient"]),
        ("5 assemble", ["PMCommands", "PMDaemon", "PMDocker", "PMGateway", "PMJournal", "PMSidecar"]),
        ("6 entry", ["pm", "pmd", "pm-docker", "pm-gateway", "pm-logs"]),
    ]

    /// Modules through which alone C of ours is reached.
    static let doorsToC = ["CPMLinux": "PMSystem", "COpenSSL": "PMGateway", "CSystemd": "PMJournal"]

    /// Modules that only one of ours may use.
    static let reserved = [
        "ArgumentParser": ["PMCommands", "PMDocker", "pm"], "FoundationEssentials": ["PMSidecar"],
        "Dispatch": ["PMSidecar"],
        "NIOCore": ["PMDocker", "PMGateway"], "NIOPosix": ["PMDocker", "PMGateway"],
        "NIOHTTP1": ["PMDocker", "PMGateway"], "NIOWebSocket": ["PMGateway"],
    ]

    /// What comes with the toolchain.
    static let platform: Set<String> = [
        "Glibc", "Synchronization", "Swift", "ArgumentParser", "FoundationEssentials", "Dispatch", "NIOCore",
        "NIOPosix", "NIOHTTP1", "NIOWebSocket",
    ]

    static func level(of module: String) -> Int? {
        table.firstIndex { $0.modules.contains(module) }
    }

    /// Imports of a file that its layer forbids.
    static func violations(in file: SourceFile) -> [Violation] {
        imports(of: file).compactMap { imported, line in
            reason(module: file.module, imports: imported).map { Violation(path: file.path, line: line, reason: $0) }
        }
    }

    private static func reason(module: String, imports imported: String) -> String? {
        guard let own = level(of: module) else { return "\(module) stands in no layer" }
        if let users = reserved[imported], !users.contains(module) { return "\(imported) is for \(users) alone" }
        if platform.contains(imported) { return nil }
        guard let other = level(of: imported) else { return "\(imported) is no module that pm may use" }
        if let door = doorsToC[imported], door != module { return "only \(door) imports \(imported)" }
        return other < own ? nil : "\(module) (layer \(own)) imports \(imported) (layer \(other))"
    }

    /// Modules that a file imports, with the line of each.
    static func imports(of file: SourceFile) -> [(module: String, line: Int)] {
        Code(file.text, .swift).lines.enumerated().compactMap { index, line in
            let words = line.split { $0 == " " || $0 == "." }
            guard let keyword = words.firstIndex(of: "import"), keyword + 1 < words.count else { return nil }
            let isKind = ["struct", "class", "enum", "func", "var", "let", "typealias", "protocol"]
            let name = isKind.contains(String(words[keyword + 1])) ? keyword + 2 : keyword + 1
            return name < words.count ? (String(words[name]), index + 1) : nil
        }
    }
}
