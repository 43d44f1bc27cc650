import Glibc
import PMModel
import Testing

@testable import PMSupervisor

/// Failures of a start that are not tried again: the table of Docs/Supervision.md.
@Suite struct SpawnPermanenceTests {
    private static let names: [(name: String, code: Int32)] = [
        ("EACCES", EACCES), ("ENOSYS", ENOSYS), ("EPERM", EPERM),
    ]

    /// The rows as the code has them.
    private static var rows: [String] {
        SpawnStep.allCases.filter { !$0.forbiddingCodes.isEmpty }.map { step in
            let codes = names.filter { step.forbiddingCodes.contains($0.code) }.map(\.name)
            return "| \(step.rawValue) | \(codes.joined(separator: ", ")) |"
        }
    }

    @Test func `the table of the documentation is the one of the code`() throws {
        let text = try #require(SupervisionDocTests.read(SupervisionDocTests.document("Supervision.md")))
        let lines = text.split(separator: "\n").map(String.init)
        let start = try #require(lines.firstIndex(of: "| step | also given up with |"))
        let table = lines[(start + 2)...].prefix { $0.hasPrefix("|") }
        #expect(Array(table) == Self.rows, "\(Self.rows.joined(separator: "\n"))")
    }

    @Test func `every value of the table has its name here`() {
        let named = Set(Self.names.map(\.code))
        for step in SpawnStep.allCases { #expect(step.forbiddingCodes.isSubset(of: named), "\(step)") }
    }

    @Test(arguments: [E2BIG, EBADMSG, EINVAL, ELIBBAD, ENAMETOOLONG, ENOEXEC])
    func `a request that makes no sense is given up, at every step of a start but two`(code: Int32) {
        let others: Set<SpawnStep> = [.table, .executor, .nothing, .signal, .trial, .quiet, .image, .unknown]
        for step in SpawnStep.allCases {
            #expect(SpawnFailure(.spawn(step), code: code).isPermanent == !others.contains(step), "\(step)")
        }
    }

    @Test func `who may not execute a program is not let try again`() {
        #expect(SpawnFailure(.spawn(.exec), code: EACCES).isPermanent)
        #expect(!SpawnFailure(.spawn(.clone), code: EACCES).isPermanent)
    }

    @Test(arguments: [ENOENT, EMFILE, ENOMEM, EAGAIN, ECANCELED, ENOSPC, ELOOP, EIO, 0])
    func `what can change by itself is tried again, at every step`(code: Int32) {
        for step in SpawnStep.allCases where step != .request {
            #expect(!SpawnFailure(.spawn(step), code: code).isPermanent, "\(step)")
        }
    }

    @Test func `what only the configuration can mend is given up`() {
        let permanent: [SpawnFailure.Step] = [
            .launch(.inspection), .launch(.keyOfDocker), .launch(.readinessDescriptor), .account(.userIsRoot),
            .account(.userMalformed), .account(.groupIsRoot), .account(.groupMalformed), .account(.accountOfOther),
            .sandbox(.sandboxOfRoot), .sandbox(.sandboxShows),
        ]
        let all =
            LaunchCheck.allCases.map(SpawnFailure.Step.launch) + AccountCheck.allCases.map(SpawnFailure.Step.account)
            + SandboxCheck.allCases.map(SpawnFailure.Step.sandbox)
        for step in all { #expect(SpawnFailure(step).isPermanent == permanent.contains(step), "\(step)") }
    }

    @Test func `a request that cannot be sent is given up for its own faults alone`() {
        #expect(SpawnFailure(.launch(.order), code: E2BIG).isPermanent)
        #expect(SpawnFailure(.launch(.order), code: EINVAL).isPermanent)
        #expect(!SpawnFailure(.launch(.order), code: EPIPE).isPermanent)
        #expect(SpawnFailure(.launch(.limit), code: EINVAL).isPermanent)
        #expect(!SpawnFailure(.launch(.limit), code: EBUSY).isPermanent)
    }
}
