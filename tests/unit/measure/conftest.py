from __future__ import annotations

from tests.unit.knowledge_base.conftest import catalogue, embedder, published, target

__all__ = ["catalogue", "embedder", "published", "target"]
