import Foundation
import PMTestSupport
import Testing

/// What an ELF file says of itself (elf(5)), for 64 bits and little-endian.
struct Executable {
    let path: String
    private let bytes: [UInt8]

    init(_ path: String) throws {
        self.path = path
        bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    private func number(_ offset: Int, _ size: Int) -> Int {
        guard offset >= 0, offset + size <= bytes.count else { return 0 }
        return bytes[offset..<offset + size].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// Where each program header is, by type; `p_type` is its first member.
    private func headers(_ type: Int) -> [Int] {
        let (start, size, count) = (number(32, 8), number(54, 2), number(56, 2))
        return (0..<count).map { start + $0 * size }.filter { number($0, 4) == type }
    }

    /// The values of a tag in the dynamic section.
    private func dynamic(_ tag: Int) -> [Int] {
        headers(2).flatMap { header in
            let (offset, size) = (number(header + 8, 8), number(header + 32, 8))
            return stride(from: offset, to: offset + size, by: 16).filter { number($0, 8) == tag }
                .map { number($0 + 8, 8) }
        }
    }

    /// Whether strip(1) has not been at work: a debug build.
    var hasSymbols: Bool {
        let (start, size, count) = (number(40, 8), number(58, 2), number(60, 2))
        return (0..<count).contains { number(start + $0 * size + 4, 4) == 2 }
    }

    /// ET_DYN: it is loaded at another address each time.
    var isPositionIndependent: Bool { number(16, 2) == 3 }
    /// PT_GNU_RELRO, and DF_BIND_NOW or DF_1_NOW: all tables of the linker are read-only once it runs.
    var isBound: Bool {
        let flags = dynamic(30).contains { $0 & 8 != 0 } || dynamic(0x6fff_fffb).contains { $0 & 1 != 0 }
        return !headers(0x6474_e552).isEmpty && flags
    }
    /// PT_GNU_STACK without PF_X.
    var hasPlainStack: Bool {
        let stacks = headers(0x6474_e551)
        return !stacks.isEmpty && stacks.allSatisfy { number($0 + 4, 4) & 1 == 0 }
    }
    /// DT_TEXTREL, or DF_TEXTREL: code would be written to at the start.
    var changesCode: Bool { !dynamic(22).isEmpty || dynamic(30).contains { $0 & 4 != 0 } }

    /// x86-64: `sub %fs:0x28,%reg`, with which a protected function ends. Elsewhere the flags of the Makefile have to do.
    var comparesCanary: Bool {
        guard number(18, 2) == 62 else { return true }
        let tail: [UInt8] = [0x25, 0x28, 0, 0, 0]
        return (0..<max(bytes.count - 9, 0)).contains { at in
            bytes[at] == 0x64 && bytes[at + 1] == 0x48 && bytes[at + 2] == 0x2b && Array(bytes[at + 4..<at + 9]) == tail
        }
    }

    func contains(_ text: String) -> Bool {
        Data(bytes).range(of: Data(text.utf8)) != nil
    }
}

@Suite struct ProgramTests {
    private static let programs =
        ["bin/pm"]
        + ["pmd", "pm-gateway", "pm-logs", "pm-docker", "pm-init", "pm-exec", "pm-worker"].map { "lib/pm/\($0)" }

    private static func staged() throws -> [Executable] {
        try programs.map { try Executable(TestPaths.stage + "/" + $0) }
    }

    /// The programs of a debug build are linked without any of this.
    private static var isRelease: Bool {
        guard let all = try? staged() else { return false }
        return !all.contains(where: \.hasSymbols)
    }

    @Test(.enabled(if: isRelease, "the staged programs are no release build"), arguments: programs)
    func `a program is loaded anywhere, and its tables cannot be written`(name: String) throws {
        let program = try Executable(TestPaths.stage + "/" + name)
        // The toolchain cannot link a static Swift program that is loaded anywhere; nothing is bound in it at run time.
        if name != "bin/pm" {
            #expect(program.isPositionIndependent, "\(name)")
            #expect(program.isBound, "\(name)")
        }
        #expect(program.hasPlainStack, "\(name)")
        #expect(!program.changesCode, "\(name)")
    }

    /// A static program has no symbols: the message of glibc shows that the function is there. musl has no message, so there
    /// the test looks for the code that compares with the canary (x86-64: an instruction on fs:0x28).
    @Test(.enabled(if: isRelease, "the staged programs are no release build"), arguments: programs)
    func `functions in C look for an overwritten stack`(name: String) throws {
        let program = try Executable(TestPaths.stage + "/" + name)
        let hasMessage = program.contains("__stack_chk_fail") || program.contains("stack smashing detected")
        #expect(hasMessage || program.comparesCanary, "\(name)")
    }

    @Test func `a program that is hardened is told from one that is not`() throws {
        #expect(throws: (any Error).self) { try Executable("/nowhere") }
        // What runs this test has symbols.
        #expect(try Executable("/proc/self/exe").hasSymbols)
    }

    @Test func `the release build asks for what shows in no program`() throws {
        let (makefile, package) = (try SourceTree.file("Makefile").text, try SourceTree.file("Package.swift").text)
        #expect(makefile.contains("-Xcc -fstack-protector-strong"))
        #expect(package.contains(#".define("_FORTIFY_SOURCE", to: "2", .when(configuration: .release))"#))
    }
}
