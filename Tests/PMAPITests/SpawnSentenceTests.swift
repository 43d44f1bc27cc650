import Glibc
import JSON
import PMModel
import Testing

@testable import PMAPI

/// The sentence and the next step of each failure of a start.
@Suite struct SpawnSentenceTests {
    private static let cases: [(failure: SpawnFailure, sentence: String, hint: String)] = [
        (
            .init(.spawn(.directory), "/srv/web", code: ENOENT), "chdir /srv/web: No such file or directory",
            "check its \"path\""
        ),
        (
            .init(.spawn(.exec), "node", code: ENOENT), "exec node: No such file or directory",
            "no folder of its PATH has node"
        ),
        (
            .init(.spawn(.exec), "/srv/web", code: EACCES), "exec /srv/web: Permission denied",
            "make the program executable"
        ),
        (
            .init(.spawn(.exec), "/srv/web", code: E2BIG), "exec /srv/web: Argument list too long",
            "its arguments and variables"
        ),
        (
            .init(.spawn(.exec), "/srv/web", code: ENOEXEC), "exec /srv/web: Exec format error",
            "give a script its first line"
        ),
        (
            .init(.spawn(.clone), code: EAGAIN), "clone: Resource temporarily unavailable",
            "no more processes are allowed"
        ),
        (
            .init(.spawn(.limits), "9", code: EPERM).about(.init("web", "limits.nofile")),
            "mapping.web.limits.nofile: 9: Operation not permitted; only root may go above", "pm start web, once"
        ),
        (
            .init(.spawn(.namespace), "basic", code: ENOSPC).about(.init("web", "sandbox")),
            "mapping.web.sandbox: basic, namespace: No space left on device; this user may have no namespaces",
            "pm start web"
        ),
        (
            .init(.spawn(.mount), "strict", code: ENOSYS).about(.init("web", "sandbox")),
            "mapping.web.sandbox: strict, mount: Function not implemented; it needs Linux 5.12", "pm start web"
        ),
        (
            .init(.spawn(.user), "u", code: EINVAL).about(.init("web", "user")),
            "mapping.web.user: u: Invalid argument; the numbers 65535", "pm start web"
        ),
        (.init(.spawn(.executor), code: ECANCELED), "its process was ended before its program ran", "check its"),
        (.init(.launch(.program), "/x", code: ENOENT), "/x: No such file or directory", "check its \"path\""),
        (
            .init(.launch(.programIsNone), "/x"), "/x is neither a script nor a program (chmod +x?)",
            "check its \"path\""
        ),
        (
            .init(.launch(.pipes), code: EMFILE, detail: "open its pipes"), "open its pipes: Too many open files",
            "the limit of open"
        ),
        (
            .init(.launch(.socket), "/s", code: ENOENT, detail: "bind /s").about(.init("web", "listen[0]")),
            "mapping.web.listen[0]: /s: bind /s: No such file or directory; make the directory", "pm start web, once"
        ),
        (
            .init(.launch(.keyOfDocker), detail: "use ports").about(.init("web", "listen")),
            "mapping.web.listen has no effect in Docker: use ports; take the key out", "pm start web, once"
        ),
        (
            .init(.account(.userMalformed), "00", detail: "has a zero in front").about(.init("web", "user")),
            "mapping.web.user: 00 has a zero in front; give the account's name", "pm start web, once"
        ),
        (
            .init(.sandbox(.sandboxOfRoot), "strict").about(.init("web", "sandbox")),
            "mapping.web.sandbox: strict: root's files and processes stay open", "pm start web, once"
        ),
        (
            .init(.launch(.order), code: E2BIG, detail: "spawn 9 groups"), "spawn 9 groups: Argument list",
            "its arguments and"
        ),
        (.init(.launch(.words), "chdir /x: gone"), "chdir /x: gone", "check its"),
    ]

    @Test(arguments: cases.indices)
    func `a failure has its sentence and its next step`(index: Int) {
        let (failure, sentence, hint) = Self.cases[index]
        #expect(failure.sentence.hasPrefix(sentence), "\(failure.sentence)")
        #expect(failure.hint(for: "web").hasPrefix(hint), "\(failure.hint(for: "web"))")
    }

    @Test func `every step and check has a sentence, and its record leads back to it`() {
        let steps =
            SpawnStep.allCases.map(SpawnFailure.Step.spawn) + LaunchCheck.allCases.map(SpawnFailure.Step.launch)
            + AccountCheck.allCases.map(SpawnFailure.Step.account)
            + SandboxCheck.allCases.map(SpawnFailure.Step.sandbox)
        for step in steps {
            let failure = SpawnFailure(step, "value", code: EPERM, detail: "more").about(.init("web", "key"))
            #expect(!failure.sentence.isEmpty && !failure.hint(for: "web").isEmpty)
            #expect(SpawnFailure(members: .object(JSONObject(failure.members))) == failure)
            #expect(SpawnFailure.Step(word: step.word) == step)
        }
    }

    @Test func `a record of another version keeps its sentence`() {
        #expect(SpawnFailure(members: ["message": "old words"]).sentence == "old words")
        #expect(SpawnFailure(members: ["message": "new words", "step": "quantum"]).sentence == "new words")
    }
}
