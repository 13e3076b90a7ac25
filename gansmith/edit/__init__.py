"""Using a trained generator of images: walks, directions, projections, fusions, mixtures, grids, rejection and averages.

Everything here takes a `Model` (or opens one with `gansmith.load`) and works with any GAN that answers `latent`, `style` and
`paint` (see `gansmith.game`); what needs styles layer by layer says so.
"""
