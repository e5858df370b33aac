"""How numba compiles what only the kernel itself calls: lowered once, optimised and turned into machine code within its callers only.

The rule that surprises: numba optimises and emits every function on its own before it links them into their callers and does the
same again. For a kernel of 130 functions that is three quarters of the time to compile, and the early optimisation even costs speed:
the optimiser sees the kernel whole only when it meets it whole. A part has no machine code of its own, so Python cannot call it.
"""

from __future__ import annotations

from typing import Any

from llvmlite.binding import Linkage
from numba import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering


class _PartLibrary(JITCodeLibrary):  # type: ignore[misc]
    """The code of a part and of what it calls, as it was lowered."""

    def add_llvm_module(self, module: Any) -> None:
        """Take a lowered function in as it is."""
        module.data_layout = self._codegen._data_layout
        self._final_module.link_in(module)

    def finalize(self) -> None:
        """Link what is called; optimise and emit nothing."""
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _PartLowering(NativeLowering):  # type: ignore[misc]
    """Lower a part, and tell its callers where to find it."""

    _name = "part_lowering"

    def run_pass(self, state: Any) -> bool:
        """Lower a function."""
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        # numba wants a built-in function to know a compiled one by. Each of these is another; called from Python it fails.
        key = dict[str, str]().popitem
        state.targetctx.insert_user_function(key, lowered.fndesc, [state.library])
        state.reload_init.extend(state.library._reload_init)
        state["cr"] = lowered._replace(cfunc=key)
        return True


class WholeLibrary(JITCodeLibrary):  # type: ignore[misc]
    """The code of a function that Python calls and of all its parts, which nobody else calls."""

    machine_code = b""

    def _optimize_final_module(self) -> None:
        """Say that the parts are called from here only: what they never return need not be asked for, what they never read not be handed over."""
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == Linkage.linkonce_odr:
                function.linkage = Linkage.internal
        super()._optimize_final_module()

    def _finalize_final_module(self) -> None:
        """Turn it into machine code, which whoever asked for it loads."""
        called = {each.name for each in self._final_module.functions if each.is_declaration}
        strange = {name for name in called if not name.startswith(("llvm.", "Py"))}
        assert not strange, f"the machine code needs nothing but Python, not {strange}"
        self.machine_code = self._codegen._tm.emit_object(self._final_module)
        self._finalized = True


class PartCompiler(CompilerBase):  # type: ignore[misc]
    """numba's compiler, with the step above in the place of its own."""

    def define_pipelines(self) -> list[Any]:
        """The steps, in their order."""
        return [_with(self.state, _PartLowering)]


def _with(state: Any, lowering: type[NativeLowering]) -> Any:
    """numba's steps, lowering by another."""
    passes = DefaultPassBuilder.define_nopython_pipeline(state)
    passes.passes = [(lowering if one is NativeLowering else one, what) for one, what in passes.passes]
    passes.finalize()
    return passes


def of_any_value(part: Any) -> None:
    """Compile a part once per types of its arguments; numba would do so again for every literal it is called with."""
    template = part.get_call_template

    def template_of_any_value(arguments: Any, named: Any) -> Any:
        return template(tuple(map(types.unliteral, arguments)), {name: types.unliteral(kind) for name, kind in named.items()})

    part.get_call_template = template_of_any_value
