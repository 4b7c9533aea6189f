"""SQLAlchemy's ORM on SQLite in memory: 1,500 objects written, queried, changed, deleted."""

from sqlalchemy import ForeignKey, String, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    books: Mapped[list["Book"]] = relationship(
        back_populates="author", cascade="all, delete-orphan"
    )


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(80))
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author] = relationship(back_populates="books")


def main() -> None:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        for i in range(150):
            author = Author(name=f"author {i}")
            author.books = [Book(title=f"book {i}.{j}") for j in range(9)]
            session.add(author)
        session.commit()
        for i in range(150):
            author = session.scalars(select(Author).where(Author.name == f"author {i}")).one()
            for book in author.books:
                book.title = book.title.upper()
            if i % 10 == 0:
                session.delete(author)
        session.commit()
        counts = session.execute(
            select(Author.name, func.count(Book.id)).join(Author.books).group_by(Author.id)
        ).all()
        print(len(counts), sum(n for _, n in counts))


if __name__ == "__main__":
    main()
