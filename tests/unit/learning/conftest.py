from __future__ import annotations

from tests.unit.knowledge_base.conftest import content, embedder, target

__all__ = ["content", "embedder", "target"]
